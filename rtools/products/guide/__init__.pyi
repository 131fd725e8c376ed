from .downlink import Downlinked
from .face import Face, open_face, read_face
from .guide import Guide, open_guide, read_guide
from .opening import is_face_name, is_guide_name
from .problems import Problem
from .stage import GuideStage

__all__ = [
    "Downlinked",
    "Face",
    "Guide",
    "GuideStage",
    "Problem",
    "is_face_name",
    "is_guide_name",
    "open_face",
    "open_guide",
    "read_face",
    "read_guide",
]
