"""Three ideas, each written as a plugin of artgen and as a script of plain torch."""
