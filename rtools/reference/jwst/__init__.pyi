from .builtin import JwstBuiltin
from .files import JwstFileSource
from .index import jwst_candidate_of, scan_jwst
from .match import JwstCandidate, JwstQuery, best_jwst, mismatches_jwst, wanted_jwst
from .needs import needed_references
from .nominal import NominalReference, available_types, has_nominal, nominal_reference
from .rules import JWST_RULES, JwstRules
from .source import JwstSource
from .types import JWST_TYPES, JwstRefType, jwst_type, known_type

__all__ = [
    "JWST_RULES",
    "JWST_TYPES",
    "JwstBuiltin",
    "JwstCandidate",
    "JwstFileSource",
    "JwstQuery",
    "JwstRefType",
    "JwstRules",
    "JwstSource",
    "NominalReference",
    "available_types",
    "best_jwst",
    "has_nominal",
    "jwst_candidate_of",
    "jwst_type",
    "known_type",
    "mismatches_jwst",
    "needed_references",
    "nominal_reference",
    "scan_jwst",
    "wanted_jwst",
]
