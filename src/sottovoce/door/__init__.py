"""The door: the site without scripts, a source that runs on the server for those who cannot run one."""
