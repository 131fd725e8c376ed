"""The safe loader of YAML that all reading of YAML starts from."""

import yaml

__all__ = ["FastLoader"]

FastLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's safe loader; PyYAML's own, ten times slower, where PyYAML was built without libyaml."""
