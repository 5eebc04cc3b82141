"""Tasks on the machines of a Ray cluster, or on a Ray that is started on this one: `--on ray`."""
