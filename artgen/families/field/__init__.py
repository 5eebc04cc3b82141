"""Fields: functions of position."""
