"""The command `emolens`, which `python -m emolens` is too."""


def main() -> None:
    """Run the command line. Ctrl-C while its modules are loaded is no traceback either."""
    try:
        from emolens.cli import main as run
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    run()


if __name__ == "__main__":
    main()
