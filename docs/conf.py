"""The settings of the site: `make docs` builds it. Nothing is fetched, neither here nor by it."""

import sys
from pathlib import Path

from emolens.version import __version__

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS / "_ext"))

project = "emolens"
release = version = __version__
html_show_copyright = False

extensions = ["myst_nb", "sphinx.ext.autodoc", "pages"]
exclude_patterns = ["_build", "_ext", "walkthrough", "walkthrough.ipynb", "**.ipynb_checkpoints"]
# Types of other libraries have no page here; links between pages are checked all the same.
nitpick_ignore_regex = [("py:.*", ".*")]
highlight_language = "none"

smartquotes = False
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4  # the same anchors as on a forge
myst_links_external_new_tab = False
nb_execution_mode = "off"  # the walkthrough is committed with its outputs
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # would be fetched from elsewhere

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
default_role = "py:obj"  # of docstrings: `name` is a link
maximum_signature_line_length = 100
python_use_unqualified_type_names = True
add_module_names = False

html_theme = "furo"
html_title = f"emolens {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["search-offline.js"]
html_copy_source = False
html_show_sourcelink = False
templates_path = ["_templates"]
