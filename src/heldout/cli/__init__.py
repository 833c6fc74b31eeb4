"""The command line: one file a command, each imported only when it is called.

Only this folder prints. `main.py` knows the commands by name and turns errors into their three lines and exit code;
`showing.py` is what all commands share to speak with a person or a program.

No command file imports numpy, torch or anything else that is large at its top: every `--help` answers at once.
"""
