"""What a source does: writes, and finds answers; on the device, or at the door for those who can't."""
