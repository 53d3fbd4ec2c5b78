"""`python -m nst_video` is the `nst-video` command."""

from nst_video.cli import main

if __name__ == "__main__":
    main()
