"""`python -m cosembed` is the program `cosembed`."""

from cosembed.commands.main import main

if __name__ == "__main__":
    main()
