"""``python -m persrv``: the command line."""

from persrv.cli import main

if __name__ == "__main__":
    main()
