package org.ivit.core.tensor;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Writes pickles opcode by opcode, and the files that {@code torch.save} makes of them. */
final class PickleBuilder {
  /** 0x1950a86a20f9469cfc6c, little-endian: what a checkpoint of the legacy form begins with. */
  private static final int[] MAGIC = {0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};

  private static final Map<String, int[]> SHAPES =
      Map.of("a.weight", new int[] {3, 2}, "a.bias", new int[] {3});

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  PickleBuilder op(int... opcodes) {
    for (int opcode : opcodes) {
      out.write(opcode);
    }
    return this;
  }

  PickleBuilder global(String module, String name) {
    return op('c').raw(module + "\n" + name + "\n");
  }

  PickleBuilder text(String value) {
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    op('X').op(bytes.length & 0xff, bytes.length >> 8 & 0xff, bytes.length >> 16, 0);
    out.writeBytes(bytes);
    return this;
  }

  PickleBuilder number(int value) {
    return op('J').op(value & 0xff, value >> 8 & 0xff, value >> 16 & 0xff, value >>> 24);
  }

  PickleBuilder raw(String ascii) {
    out.writeBytes(ascii.getBytes(StandardCharsets.ISO_8859_1));
    return this;
  }

  /** A float32 tensor over all of a storage. */
  PickleBuilder tensor(String key, boolean legacy, int... shape) {
    int count = 1;
    for (int extent : shape) {
      count *= extent;
    }
    global("torch._utils", "_rebuild_tensor_v2");
    op('(', '(').text("storage").global("torch", "FloatStorage").text(key).text("cpu");
    number(count);
    op(legacy ? new int[] {'N', 't', 'Q'} : new int[] {'t', 'Q'}).number(0).op('(');
    for (int extent : shape) {
      number(extent);
    }
    op('t', '(');
    int stride = count;
    for (int extent : shape) {
      stride /= extent;
      number(stride);
    }
    return op('t', 0x89).global("collections", "OrderedDict").op(')', 'R', 't', 'R');
  }

  byte[] bytes() {
    return out.toByteArray();
  }

  /** A zip as {@code torch.save} makes it: stored entries under one folder. */
  static byte[] zip(byte[] pickle, Map<String, byte[]> storages) throws Exception {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put("m/data.pkl", pickle);
    entries.put("m/byteorder", "little".getBytes(StandardCharsets.US_ASCII));
    storages.forEach((key, data) -> entries.put("m/data/" + key, data));
    entries.put("m/version", new byte[] {'3', '\n'});
    return zipOf(entries, ZipEntry.STORED);
  }

  static byte[] zipOf(Map<String, byte[]> entries, int method) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, byte[]> item : entries.entrySet()) {
        ZipEntry entry = new ZipEntry(item.getKey());
        CRC32 crc = new CRC32();
        crc.update(item.getValue());
        entry.setMethod(method);
        entry.setSize(item.getValue().length);
        if (method == ZipEntry.STORED) {
          entry.setCompressedSize(item.getValue().length);
        }
        entry.setCrc(crc.getValue());
        zip.putNextEntry(entry);
        zip.write(item.getValue());
      }
    }
    return bytes.toByteArray();
  }

  private static byte[] floats(int count) {
    ByteBuffer data = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      data.putFloat(i + 0.5f);
    }
    return data.array();
  }

  private static byte[] stateDict(boolean legacy) {
    PickleBuilder pickle = new PickleBuilder().op(0x80, 2, '}', '(').text("model");
    pickle.global("collections", "OrderedDict").op(')', 'R', '(');
    int key = 0;
    for (String name : List.of("a.weight", "a.bias")) {
      pickle.text("module." + name).tensor(Integer.toString(key++), legacy, SHAPES.get(name));
    }
    return pickle.op('u').text("epoch").number(3).op('u', '.').bytes();
  }

  /** What the checkpoints below hold. */
  static Map<String, Tensor> expected() {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("a.weight", Tensor.of(new float[] {0.5f, 1.5f, 2.5f, 3.5f, 4.5f, 5.5f}, 3, 2));
    tensors.put("a.bias", Tensor.of(new float[] {0.5f, 1.5f, 2.5f}, 3));
    return tensors;
  }

  static byte[] zipCheckpoint() throws Exception {
    return zip(stateDict(false), Map.of("0", floats(6), "1", floats(3)));
  }

  static byte[] legacyCheckpoint() {
    PickleBuilder all = new PickleBuilder().op(0x80, 2, 0x8a, 10);
    all.op(MAGIC).op('.');
    all.op(0x80, 2, 'M', 0xe9, 3, '.');
    all.op(0x80, 2, '}').text("little_endian").op(0x88, 's', '.');
    all.out.writeBytes(stateDict(true));
    all.op(0x80, 2, ']', '(').text("0").text("1").op('e', '.');
    for (int count : new int[] {6, 3}) {
      all.op(count, 0, 0, 0, 0, 0, 0, 0);
      all.out.writeBytes(floats(count));
    }
    return all.bytes();
  }

  static byte[] npz(int method) throws Exception {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put("a.weight.npy", npy("(3, 2)", 6));
    entries.put("a.bias.npy", npy("(3,)", 3));
    return zipOf(entries, method);
  }

  private static byte[] npy(String shape, int count) {
    String header = "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }";
    int padded = (10 + header.length() + 1 + 63) / 64 * 64 - 10;
    header = header + " ".repeat(padded - header.length() - 1) + "\n";
    PickleBuilder file = new PickleBuilder().op(0x93).raw("NUMPY").op(1, 0, padded, 0).raw(header);
    file.out.writeBytes(floats(count));
    return file.bytes();
  }
}
