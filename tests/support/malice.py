"""Words that damage or malice puts into files, which must do no harm there."""

__all__ = ["ARRAY_VALUES", "CARDS", "CARD_VALUES", "MALICE", "NUMBERS", "OUTSIDE", "SIZES", "WORDS"]

NUMBERS = (
    '-1', '0', '1', '2147483648', '-9223372036854775809', '9' * 40, '1e400', '1e30', '-0.5', '.nan', '.inf',
    '-.inf',
)  # fmt: skip
OUTSIDE = (
    '../../outside/x', '../outside/x', '{box}/outside/x', '{box}/outside/secret.asdf',
    './a/../../../outside/x',
)  # fmt: skip
WORDS = (
    'null', "''", 'true', '[]', '{{}}', 'x', '~', '2027-13-45T99:99:99.000', '<script>alert(1)</script>',
    'N/A', '"\\e]0;x\\a\\e[2J"', '"a\\nb"', '"\\0"', '[[[[]]]]', "'" + 'x' * 5000 + "'",
)  # fmt: skip
MALICE = (
    "!!python/object/apply:os.system ['touch {box}/outside/x']",
    "!!python/object/new:os.system ['touch {box}/outside/x']", "!!python/name:os.system ''",
    "!!python/module:antigravity ''", '*nowhere', '&round [*round]', '[' * 3000 + ']' * 3000,
    '[&a [x,x,x,x,x,x,x,x,x], &b [*a,*a,*a,*a,*a,*a,*a,*a,*a], &c [*b,*b,*b,*b,*b,*b,*b,*b,*b], &d [*c,*c,*c'
    ',*c,*c,*c,*c], &e [*d,*d,*d,*d,*d,*d,*d,*d], &f [*e,*e,*e,*e,*e,*e,*e,*e], &g [*f,*f,*f,*f,*f,*f,*f,*f,'
    '*f], [*g,*g,*g,*g,*g]]',
    '!core/ndarray-1.1.0 {{source: ../outside/secret.asdf, datatype: float32, byteorder: little, shape: [4]}}',
    "!core/ndarray-1.1.0 {{source: 'file://{box}/outside/secret.asdf', datatype: float32, byteorder: little,"
    " shape: [4]}}",
    '!core/ndarray-1.1.0 {{source: 0, datatype: float64, byteorder: little, shape: [1000000000, 100000]}}',
    '!core/ndarray-1.1.0 {{source: 0, datatype: float64, byteorder: little, shape: [100000, 100000], strides'
    ': [0, 0]}}',
    '!core/ndarray-1.1.0 {{source: 0, datatype: [ascii, 4000000000], byteorder: little, shape: [1000]}}',
    "!core/ndarray-1.1.0 {{source: -7, datatype: float32, byteorder: little, shape: [-4, '*']}}",
    '!core/ndarray-1.1.0 {{data: [[1, 2], [3]], datatype: float32, shape: [3000000, 3000000]}}',
    '!core/external-array-1.0.0 {{fileuri: ../outside/secret.asdf, target: 0, datatype: float32, shape: [4]}}',
    "!core/integer-1.1.0 {{sign: '+', string: '" + '9' * 3000 + "'}}", '!core/complex-1.0.0 1+x',
    "{{$ref: '../outside/secret.asdf#/roman'}}", '!time/time-1.1.0 {{value: x, base_format: nonsense}}',
    '!unit/unit-1.0.0 m/s**9999',
)  # fmt: skip
SIZES = (
    0, 1, 17, 1 << 20, (1 << 31) - 1, 1 << 31, 1 << 40, (1 << 63) - 1, (1 << 64) - 1,
)  # fmt: skip
CARDS = (
    'NAXIS', 'NAXIS1', 'NAXIS2', 'NAXIS3', 'NAXIS4', 'BITPIX', 'PCOUNT', 'GCOUNT', 'TFIELDS', 'THEAP',
    'EXTEND', 'XTENSION', 'TFORM1', 'TFORM2', 'TDIM1', 'TTYPE1', 'BSCALE', 'BZERO', 'EXTNAME', 'EXTVER',
    'SIMPLE', 'END',
)  # fmt: skip
CARD_VALUES = (
    '0', '-1', '1', '8', '-64', '3', '999', '2147483648', '99999999999999999999', '1.5', '1E400', 'T', 'F',
    "'X'", "''", "'1PE(999999999)'", "'999999999999E'", "'A'", "'(1,2'", "'(-1,0)'", 'NaN', '(1, 2)',
    "'\x1b[2J'", "'<script>x'", "'../../outside/x'", '= =', "'IMAGE'", "'BINTABLE'", "'TABLE'",
)  # fmt: skip
ARRAY_VALUES = (
    '[1000000000, 1000000000]', '[]', '[-1, 4]', "['*', 4]", '[0]', '9', '-1', '-2', '99999999999999999999',
    'float64', 'nonsense', '[ascii, 99999999999]', '[[ascii, 4]]', 'big', 'null', '1.5', '[1, 1]', '{}',
)  # fmt: skip
