package org.ivit.core.tensor;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;

/**
 * NumPy's {@code .npz}: a zip of {@code .npy} arrays, stored or deflated, headers of version 1 to
 * 3, C or Fortran order. See <a
 * href="https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html">the format</a>.
 */
final class Npz {
  static final String SUFFIX = ".npy";

  private static final int PREFIX = 6;
  private static final Pattern HEADER =
      Pattern.compile(
          "\\{ ?'descr': '([^']{1,16})', 'fortran_order': (True|False),"
              + " 'shape': \\(([0-9, ]{0,400})\\),? ?\\}\\s*");
  private static final Map<String, DType> TYPES =
      Map.of(
          "<f8",
          DType.F64,
          "<f4",
          DType.F32,
          "<f2",
          DType.F16,
          "<i8",
          DType.I64,
          "<i4",
          DType.I32,
          "<i2",
          DType.I16,
          "|i1",
          DType.I8,
          "|u1",
          DType.U8,
          "|b1",
          DType.BOOL);

  private Npz() {}

  static TensorFile read(FileBytes file, ZipEntries zip) throws IOException {
    CopyBudget budget = new CopyBudget(file.size(), 1);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (String entry : zip.names()) {
      if (!entry.endsWith(SUFFIX)) {
        throw new InputException(
            "%s: entry %s: expected arrays, *.npy"
                .formatted(file.source(), MessageText.quote(entry)));
      }
      String name = entry.substring(0, entry.length() - SUFFIX.length());
      String origin = file.source() + ": tensor " + MessageText.quote(name);
      tensors.put(name, array(origin, zip.bytes(entry, true), budget));
    }
    return new TensorFile(tensors, Map.of(), file.source());
  }

  private static Tensor array(String origin, ByteBuffer bytes, CopyBudget budget) {
    boolean numpy =
        bytes.remaining() >= 10 && bytes.get(0) == (byte) 0x93 && bytes.getInt(1) == 0x504d554e;
    if (!numpy) {
      throw new InputException(origin + ": does not begin as .npy does, with \\x93NUMPY");
    }
    int version = bytes.get(PREFIX);
    if (version < 1 || version > 3 || bytes.remaining() < 12) {
      throw new InputException(origin + ": .npy version " + version + ", expected 1 to 3");
    }
    long length = version == 1 ? Short.toUnsignedInt(bytes.getShort(8)) : bytes.getInt(8);
    int begin = version == 1 ? 10 : 12;
    if (length < 0 || length > bytes.remaining() - begin) {
      throw new InputException(
          "%s: .npy header of %d bytes, but only %d follow: truncated or damaged"
              .formatted(origin, length, bytes.remaining() - begin));
    }
    byte[] text = new byte[(int) Math.min(length, 4096)];
    bytes.get(begin, text);
    Matcher header = HEADER.matcher(new String(text, StandardCharsets.ISO_8859_1));
    if (length > text.length || !header.matches()) {
      throw new InputException(
          origin + ": .npy header is not understood: expected descr, fortran_order, shape");
    }
    DType dtype = TYPES.get(header.group(1));
    if (dtype == null) {
      throw new InputException(
          "%s: dtype is %s, expected little-endian numbers of at most 8 bytes"
              .formatted(origin, MessageText.quote(header.group(1))));
    }
    long[] shape = shape(origin, header.group(3));
    boolean fortran = header.group(2).equals("True");
    ByteBuffer data = bytes.slice(begin + (int) length, bytes.remaining() - begin - (int) length);
    requireSize(origin, dtype, shape, data.remaining());
    long[] strides = fortran ? fortranStrides(shape) : StridedView.contiguousStrides(shape);
    return new StridedView(dtype, 0, shape, strides).of(origin, data, budget);
  }

  private static void requireSize(String origin, DType dtype, long[] shape, long found) {
    long bytes = dtype.size();
    try {
      for (long extent : shape) {
        bytes = Math.multiplyExact(bytes, extent);
      }
    } catch (ArithmeticException e) {
      throw new InputException(origin + ": the product of its shape overflows", e);
    }
    if (bytes != found) {
      throw new InputException(
          "%s: has %d bytes, expected %d by its header: truncated or damaged"
              .formatted(origin, found, bytes));
    }
  }

  private static long[] shape(String origin, String text) {
    String[] parts = text.isBlank() ? new String[0] : text.split(",", 64);
    int count = parts.length > 0 && parts[parts.length - 1].isBlank() ? -1 : 0;
    long[] shape = new long[parts.length + count];
    try {
      for (int k = 0; k < shape.length; k++) {
        shape[k] = Long.parseLong(parts[k].strip());
      }
    } catch (NumberFormatException e) {
      throw new InputException(origin + ": shape is (" + MessageText.line(text) + ")", e);
    }
    return shape;
  }

  private static long[] fortranStrides(long[] shape) {
    long[] strides = new long[shape.length];
    long stride = 1;
    for (int k = 0; k < shape.length; k++) {
      strides[k] = stride;
      stride *= Math.max(1, shape[k]);
    }
    return strides;
  }
}
