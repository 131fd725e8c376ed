from .downlink import Downlinked
from .either import open_either
from .face import Face, open_face, read_face
from .guide import Guide, open_guide, read_guide
from .opening import is_guide_name, is_old, kind_of_product, open_as
from .problems import Problem
from .records import FaceSummary, GuideSummary
from .stage import GuideStage
from .summary import summarise_face, summarise_guide
from .tables import face_table, guide_table

__all__ = [
    "Downlinked",
    "Face",
    "FaceSummary",
    "Guide",
    "GuideStage",
    "GuideSummary",
    "Problem",
    "face_table",
    "guide_table",
    "is_guide_name",
    "is_old",
    "kind_of_product",
    "open_as",
    "open_either",
    "open_face",
    "open_guide",
    "read_face",
    "read_guide",
    "summarise_face",
    "summarise_guide",
]
