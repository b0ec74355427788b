"""Finds the types, methods and variables that a Java test reads, and the packages of JDK types."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from phases.test_integration.languages.java.outline import text_of
from phases.test_integration.languages.shared.code import walk_with_parents
from phases.test_integration.read.syntax import walk

_JDK = {
    "java.io": "ByteArrayInputStream ByteArrayOutputStream File FileInputStream IOException InputStream "
    "ObjectInputStream ObjectOutputStream OutputStream PrintStream PrintWriter Reader Serializable "
    "StringReader StringWriter UncheckedIOException",
    "java.lang.reflect": "Field InvocationTargetException Method",
    "java.math": "BigDecimal BigInteger",
    "java.net": "HttpURLConnection MalformedURLException URI URL URISyntaxException URLDecoder URLEncoder",
    "java.nio.charset": "Charset StandardCharsets",
    "java.nio.file": "Files Path Paths NoSuchFileException",
    "java.security": "MessageDigest NoSuchAlgorithmException SecureRandom",
    "java.sql": "Connection DriverManager PreparedStatement ResultSet SQLException Statement",
    "java.time": "Duration Instant LocalDate LocalDateTime ZonedDateTime",
    "java.util": "ArrayList Arrays Base64 Collection Collections Comparator Date HashMap HashSet Iterator "
    "LinkedHashMap LinkedList List Locale Map Objects Optional Properties Random Scanner Set TreeMap UUID",
    "java.util.concurrent": "ConcurrentHashMap CountDownLatch ExecutorService Executors TimeUnit",
    "java.util.concurrent.atomic": "AtomicBoolean AtomicInteger AtomicReference",
    "java.util.regex": "Matcher Pattern",
    "java.util.stream": "Collectors IntStream Stream",
}
JDK = {name: f"{package}.{name}" for package, names in _JDK.items() for name in names.split()}
_LANG = (
    "ArithmeticException ArrayIndexOutOfBoundsException AssertionError AutoCloseable Boolean Byte "
    "CharSequence Character Class ClassCastException ClassLoader ClassNotFoundException Comparable "
    "Deprecated Double Enum Error Exception Float FunctionalInterface IllegalArgumentException "
    "IllegalStateException IndexOutOfBoundsException Integer InterruptedException Iterable Long Math "
    "NullPointerException Number NumberFormatException Object Override Process ProcessBuilder Record "
    "Runnable Runtime RuntimeException SafeVarargs SecurityException Short StackOverflowError String "
    "StringBuffer StringBuilder SuppressWarnings System Thread ThreadLocal Throwable "
    "UnsupportedOperationException Void "
)
LANG = frozenset(_LANG.split())
_ASSERTIONS = (
    "assertAll assertArrayEquals assertDoesNotThrow assertEquals assertFalse assertInstanceOf "
    "assertIterableEquals assertLinesMatch assertNotEquals assertNotNull assertNotSame assertNull assertSame "
    "assertThrows assertThrowsExactly assertTimeout assertTimeoutPreemptively assertTrue fail"
)
ASSERTIONS = frozenset(_ASSERTIONS.split())
# Library types that tests use; no project declares a class with such a name.
_LIBRARY_NAMES = (
    "EntityManager Gson HttpServletRequest HttpServletResponse HttpStatus JdbcTemplate Jsoup Matchers "
    "MediaType MockHttpServletRequest MockHttpServletResponse MockMvc MockMvcRequestBuilders "
    "MockMvcResultMatchers Mockito ObjectMapper ResponseEntity RestAssured RestTemplate TestRestTemplate "
    "WebTestClient"
)
_LIBRARIES = frozenset(_LIBRARY_NAMES.split())
_PACKAGE = re.compile(rb"[a-z]\w*(?:\s*\.\s*[a-z]\w*)+\s*\.\s*[A-Z]")
_DECLARING = {
    "variable_declarator",
    "formal_parameter",
    "catch_formal_parameter",
    "resource",
    "enhanced_for_statement",
    "instanceof_expression",
    "spread_parameter",
    "method_declaration",
    "class_declaration",
}


def type_names(root: Node) -> Iterator[tuple[Node, Node]]:
    """Yield every simple name that refers to a type, with its parent node."""
    for node, parent, _ in walk_with_parents(root):
        if parent is None or parent.type in ("scoped_type_identifier", "type_parameter"):
            continue
        if node.type == "type_identifier":
            yield node, parent
        elif node.type == "identifier" and text_of(node)[:1].isupper():
            holds = parent.type in ("method_invocation", "field_access", "method_reference")
            is_first = parent.child_by_field_name("object") == node or parent.type == "method_reference"
            if (holds and is_first) or parent.type in ("annotation", "marker_annotation"):
                yield node, parent


def may_be_neighbour(name: str) -> bool:
    """Return whether another file of the package may declare the name: it usually is the code under test."""
    return name[:1].isupper() and name not in _LIBRARIES


def called_methods(root: Node) -> Iterator[Node]:
    """Yield the names of methods that are called without a receiver."""
    for node in walk(root):
        if node.type == "method_invocation" and node.child_by_field_name("object") is None:
            name = node.child_by_field_name("name")
            if name is not None:
                yield name


def declared_names(root: Node) -> set[str]:
    """Return the names of variables, parameters, methods and classes that the code declares."""
    found: set[str] = set()
    for node in walk(root):
        if node.type in _DECLARING and (name := node.child_by_field_name("name")):
            found.add(text_of(name))
        elif node.type in ("inferred_parameters", "type_pattern", "record_pattern_component"):
            found.update(text_of(child) for child in node.named_children if child.type == "identifier")
        elif node.type == "lambda_expression":
            parameters = node.child_by_field_name("parameters")
            if parameters is not None and parameters.type == "identifier":
                found.add(text_of(parameters))
    return found


def read_variables(root: Node) -> list[str]:
    """Return lower-case names that are read as variables, in order, without the start of a qualified name."""
    found: dict[str, None] = {}
    source = root.text or b""
    for node, parent, _ in walk_with_parents(root):
        if node.type != "identifier" or parent is None or not text_of(node)[:1].islower():
            continue
        is_member = any(
            parent.child_by_field_name(field) == node for field in ("name", "field", "key", "label")
        )
        if is_member:
            continue
        if parent.type == "field_access" and _PACKAGE.match(source, node.start_byte - root.start_byte):
            continue
        if parent.type not in (
            "scoped_identifier",
            "labeled_statement",
            "break_statement",
            "continue_statement",
            "method_reference",
            "lambda_expression",
            "inferred_parameters",
        ):
            found.setdefault(text_of(node))
    return list(found)
