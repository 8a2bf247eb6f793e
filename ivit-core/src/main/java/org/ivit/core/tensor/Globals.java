package org.ivit.core.tensor;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * What the names mean that a pickle may mention. None is ever looked up or called. Those that make
 * tensors and maps are known here; any other stands for an {@link Pickled.Opaque}, unless it has no
 * business in a checkpoint but to run something, in which case the whole file is refused.
 */
final class Globals {
  /** What a name stands for. */
  enum Kind {
    TENSOR,
    TENSOR_WITH_DTYPE,
    TENSOR_OF_TYPE,
    TENSOR_TYPE,
    PARAMETER,
    MAP,
    SIZE,
    STORAGE,
    DTYPE,
    FOREIGN
  }

  private static final Map<String, Kind> KINDS = new HashMap<>();
  private static final Map<String, DType> TYPES = new HashMap<>();

  /** Storages of tensors that are not read; in the legacy form they must be passed over. */
  private static final Map<String, Integer> OTHER_STORAGES =
      Map.of(
          "torch.ComplexFloatStorage", 8,
          "torch.ComplexDoubleStorage", 16,
          "torch.QInt8Storage", 1,
          "torch.QUInt8Storage", 1,
          "torch.QInt32Storage", 4,
          "torch.QUInt4x2Storage", 1,
          "torch.QUInt2x4Storage", 1);

  /** The only names of Python's builtins, 2 and 3; among the others are those that run programs. */
  private static final Set<String> BUILTINS =
      words(
          """
          basestring bool bytearray bytes complex dict float frozenset int list long object range
          set slice str tuple type unicode xrange Ellipsis NotImplemented NoneType""");

  /** Modules that reach outside of the program, anywhere in a dotted name. */
  private static final Set<String> HARMFUL_MODULES =
      words(
          """
          _pickle _posixsubprocess asyncio bdb cloudpickle codeop commands cPickle cProfile
          cpp_extension ctypes dill distutils ftplib http imp importlib joblib marshal
          multiprocessing nt os pdb pickle pip platform posix pty pydoc requests runpy runstring
          setuptools shelve shutil signal smtplib socket subprocess sys tempfile threading timeit
          urllib webbrowser zipimport""");

  /** Functions that run or reach something, whatever their module. */
  private static final Set<String> HARMFUL_FUNCTIONS =
      words(
          """
          __import__ _load_global_deps attrgetter breakpoint call CodeType compile delattr eval
          exec execfile FunctionType getattr globals load loads methodcaller open popen Popen
          reduce setattr system""");

  static {
    KINDS.put("torch._utils._rebuild_tensor", Kind.TENSOR);
    KINDS.put("torch._utils._rebuild_tensor_v2", Kind.TENSOR);
    KINDS.put("torch._utils._rebuild_tensor_v3", Kind.TENSOR_WITH_DTYPE);
    KINDS.put("torch._tensor._rebuild_from_type_v2", Kind.TENSOR_OF_TYPE);
    KINDS.put("torch._tensor._rebuild_from_type", Kind.TENSOR_OF_TYPE);
    KINDS.put("torch.Tensor", Kind.TENSOR_TYPE);
    KINDS.put("torch.nn.parameter.Parameter", Kind.TENSOR_TYPE);
    KINDS.put("torch.nn.parameter.Buffer", Kind.TENSOR_TYPE);
    KINDS.put("torch._utils._rebuild_parameter", Kind.PARAMETER);
    KINDS.put("torch._utils._rebuild_parameter_with_state", Kind.PARAMETER);
    KINDS.put("collections.OrderedDict", Kind.MAP);
    KINDS.put("collections.defaultdict", Kind.MAP);
    KINDS.put("torch.Size", Kind.SIZE);
    storage("Float", DType.F32, "float32");
    storage("Double", DType.F64, "float64");
    storage("Half", DType.F16, "float16");
    storage("BFloat16", DType.BF16, "bfloat16");
    storage("Long", DType.I64, "int64");
    storage("Int", DType.I32, "int32");
    storage("Short", DType.I16, "int16");
    storage("Char", DType.I8, "int8");
    storage("Byte", DType.U8, "uint8");
    storage("Bool", DType.BOOL, "bool");
    KINDS.put("torch.storage.UntypedStorage", Kind.STORAGE);
    KINDS.put("torch.UntypedStorage", Kind.STORAGE);
    OTHER_STORAGES.keySet().forEach(name -> KINDS.put(name, Kind.STORAGE));
  }

  private Globals() {}

  private static Set<String> words(String text) {
    return Set.of(text.split("\\s+"));
  }

  private static void storage(String prefix, DType dtype, String torchName) {
    KINDS.put("torch." + prefix + "Storage", Kind.STORAGE);
    TYPES.put("torch." + prefix + "Storage", dtype);
    KINDS.put("torch." + torchName, Kind.DTYPE);
    TYPES.put("torch." + torchName, dtype);
    KINDS.put("torch." + prefix.toLowerCase(Locale.ROOT), Kind.DTYPE);
    TYPES.put("torch." + prefix.toLowerCase(Locale.ROOT), dtype);
  }

  /** What a name stands for. */
  static Kind kind(String name) {
    return KINDS.getOrDefault(name, Kind.FOREIGN);
  }

  /** Whether a name has no business in a checkpoint: it would run or reach something. */
  static boolean harmful(String name) {
    if (KINDS.containsKey(name)) {
      return false;
    }
    String[] parts = name.split("\\.", -1);
    String last = parts[parts.length - 1];
    if (parts[0].equals("builtins") || parts[0].equals("__builtin__")) {
      return parts.length != 2 || !BUILTINS.contains(last);
    }
    for (String part : parts) {
      if (HARMFUL_MODULES.contains(part)) {
        return true;
      }
    }
    return HARMFUL_FUNCTIONS.contains(last);
  }

  /** The element type of a storage or dtype; null for one that no tensor here has. */
  static DType dtype(String name) {
    return TYPES.get(name);
  }

  /** Bytes an element of a storage; 1 for the untyped, which count bytes. */
  static int elementSize(String storage) {
    DType dtype = TYPES.get(storage);
    return dtype == null ? OTHER_STORAGES.getOrDefault(storage, 1) : dtype.size();
  }

  /** Whether a storage counts bytes, so that its tensors say their own type. */
  static boolean untyped(String storage) {
    return storage.endsWith(".UntypedStorage");
  }
}
