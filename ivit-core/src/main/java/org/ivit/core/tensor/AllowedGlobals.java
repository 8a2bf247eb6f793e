package org.ivit.core.tensor;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** The names that a pickle may mention; every other is refused. */
final class AllowedGlobals {
  /** What a name stands for. */
  enum Kind {
    TENSOR,
    TENSOR_WITH_DTYPE,
    PARAMETER,
    MAP,
    SIZE,
    STORAGE,
    DTYPE,
    OPAQUE
  }

  private static final Map<String, Kind> KINDS = new HashMap<>();
  private static final Map<String, DType> TYPES = new HashMap<>();

  static {
    KINDS.put("torch._utils._rebuild_tensor", Kind.TENSOR);
    KINDS.put("torch._utils._rebuild_tensor_v2", Kind.TENSOR);
    KINDS.put("torch._utils._rebuild_tensor_v3", Kind.TENSOR_WITH_DTYPE);
    KINDS.put("torch._utils._rebuild_parameter", Kind.PARAMETER);
    KINDS.put("collections.OrderedDict", Kind.MAP);
    KINDS.put("torch.Size", Kind.SIZE);
    for (String opaque :
        new String[] {
          "argparse.Namespace",
          "_codecs.encode",
          "numpy.dtype",
          "numpy.core.multiarray.scalar",
          "numpy._core.multiarray.scalar",
          "torch.device",
          "torch.torch_version.TorchVersion",
          "pathlib.Path",
          "pathlib.PosixPath",
          "pathlib.WindowsPath"
        }) {
      KINDS.put(opaque, Kind.OPAQUE);
    }
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
  }

  private AllowedGlobals() {}

  private static void storage(String prefix, DType dtype, String torchName) {
    KINDS.put("torch." + prefix + "Storage", Kind.STORAGE);
    TYPES.put("torch." + prefix + "Storage", dtype);
    KINDS.put("torch." + torchName, Kind.DTYPE);
    TYPES.put("torch." + torchName, dtype);
    KINDS.put("torch." + prefix.toLowerCase(Locale.ROOT), Kind.DTYPE);
    TYPES.put("torch." + prefix.toLowerCase(Locale.ROOT), dtype);
  }

  /** What a name stands for, or null if it is not allowed. */
  static Kind kind(String name) {
    return KINDS.get(name);
  }

  /** The element type of a storage or dtype; null for an untyped storage. */
  static DType dtype(String name) {
    return TYPES.get(name);
  }
}
