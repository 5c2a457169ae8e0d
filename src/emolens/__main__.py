"""The command `emolens`, which `python -m emolens` is too."""

import atexit
import os
import sys


def main() -> None:
    """Run the command line. Ctrl-C while its modules are loaded is no traceback either."""
    try:
        from emolens.cli import main as run
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    try:
        run()
    except SystemExit as ended:
        if "openvino" not in sys.modules or "torch" in sys.modules:
            raise
        # Python takes a tenth of a second to take OpenVINO apart, which the end of the process does
        # anyway.
        atexit._run_exitfuncs()
        os._exit(int(ended.code or 0))


if __name__ == "__main__":
    main()
