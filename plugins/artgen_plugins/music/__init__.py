"""Music: a form of film in which a sound drives what the parts of a drawing do."""
