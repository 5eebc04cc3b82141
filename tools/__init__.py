"""What `make size`, `make house` and `make lint` count: lines per room, ties between rooms."""
