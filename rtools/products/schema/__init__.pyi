from .assignment import parse_assignment
from .history import NOT_FOR_SCIENCE, built_in_types, is_simulated
from .jsontext import json_text
from .layout import DEFAULT_PROFILE, PROFILES
from .nodes import TaggedDict, TaggedList, TaggedStr
from .yamltext import FastLoader

__all__ = [
    "DEFAULT_PROFILE",
    "NOT_FOR_SCIENCE",
    "PROFILES",
    "FastLoader",
    "TaggedDict",
    "TaggedList",
    "TaggedStr",
    "built_in_types",
    "is_simulated",
    "json_text",
    "parse_assignment",
]
