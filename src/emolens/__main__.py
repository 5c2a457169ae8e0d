"""`python -m emolens` is the command `emolens`."""

from emolens.cli import main

main()
