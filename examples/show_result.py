"""Show an L2 image: a summary on the terminal and a picture beside it.

usage: show_result.py X_cal.asdf -o X_cal.png
"""

import argparse

from rtools.products.io import open_product
from rtools.show.picture import save_image
from rtools.show.summary import image_rows, print_rows
from rtools.wfi import dq

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("image")
parser.add_argument("-o", "--output", required=True)
arguments = parser.parse_args()

product = open_product(arguments.image, kinds=("l2_image",))
data, flags = product.array("data"), product.array("dq")
print_rows(image_rows(product.meta, data, flags, dq.PIXEL))
title = f"{product.meta['filename']}\n{product.meta['exposure']['type']}, {product.meta['exposure']['start_time']}"
save_image(arguments.output, data, title=title, unit="DN/s", bad=(flags & dq.PIXEL["DO_NOT_USE"]) != 0)
print(arguments.output)
