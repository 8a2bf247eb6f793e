package org.ivit.core.testing;

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
import org.ivit.core.tensor.DType;
import org.ivit.core.tensor.Tensor;

/**
 * Writes what {@code torch.save} makes of nested maps and lists of float32 tensors, numbers and
 * texts, and of objects of any class.
 */
public final class TorchCheckpoint {
  /**
   * An object that {@code type(*arguments)} makes, with a state.
   *
   * @param module of the class
   * @param name of the class
   * @param arguments that it is made with
   * @param state null for none
   */
  public record Foreign(String module, String name, List<?> arguments, Object state) {}

  private final ByteArrayOutputStream pickle = new ByteArrayOutputStream();
  private final Map<String, byte[]> storages = new LinkedHashMap<>();

  private TorchCheckpoint() {}

  /** The bytes of a checkpoint in the zip form, stored as PyTorch does. */
  public static byte[] zip(Object tree) throws Exception {
    TorchCheckpoint checkpoint = new TorchCheckpoint();
    checkpoint.op(0x80, 2);
    checkpoint.value(tree);
    checkpoint.op('.');
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      store(zip, "archive/data.pkl", checkpoint.pickle.toByteArray());
      for (Map.Entry<String, byte[]> storage : checkpoint.storages.entrySet()) {
        store(zip, "archive/data/" + storage.getKey(), storage.getValue());
      }
      store(zip, "archive/version", new byte[] {'3', '\n'});
    }
    return bytes.toByteArray();
  }

  private static void store(ZipOutputStream zip, String name, byte[] data) throws Exception {
    CRC32 crc = new CRC32();
    crc.update(data);
    ZipEntry entry = new ZipEntry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(data.length);
    entry.setCompressedSize(data.length);
    entry.setCrc(crc.getValue());
    zip.putNextEntry(entry);
    zip.write(data);
  }

  private void value(Object value) {
    if (value == null) {
      op('N');
    } else if (value instanceof Map<?, ?> map) {
      op('}', '(');
      map.forEach(
          (key, item) -> {
            value(key);
            value(item);
          });
      op('u');
    } else if (value instanceof List<?> list) {
      op(']', '(');
      list.forEach(this::value);
      op('e');
    } else if (value instanceof Tensor tensor) {
      tensor(tensor);
    } else if (value instanceof Foreign foreign) {
      global(foreign.module, foreign.name);
      op('(');
      foreign.arguments.forEach(this::value);
      op('t', 'R');
      if (foreign.state != null) {
        value(foreign.state);
        op('b');
      }
    } else if (value instanceof Integer number) {
      number(number);
    } else {
      text(value.toString());
    }
  }

  private void tensor(Tensor tensor) {
    if (tensor.dtype() != DType.F32) {
      throw new IllegalArgumentException("is " + tensor + ", expected F32");
    }
    String key = Integer.toString(storages.size());
    byte[] data = new byte[4 * tensor.size()];
    tensor.buffer().get(data);
    storages.put(key, data);
    global("torch._utils", "_rebuild_tensor_v2");
    op('(', '(');
    text("storage");
    global("torch", "FloatStorage");
    text(key);
    text("cpu");
    number(tensor.size());
    op('t', 'Q');
    number(0);
    op('(');
    for (long extent : tensor.shape()) {
      number((int) extent);
    }
    op('t', '(');
    int stride = tensor.size();
    for (long extent : tensor.shape()) {
      stride /= (int) extent;
      number(stride);
    }
    op('t', 0x89);
    global("collections", "OrderedDict");
    op(')', 'R', 't', 'R');
  }

  private void op(int... opcodes) {
    for (int opcode : opcodes) {
      pickle.write(opcode);
    }
  }

  private void global(String module, String name) {
    op('c');
    pickle.writeBytes((module + "\n" + name + "\n").getBytes(StandardCharsets.UTF_8));
  }

  private void text(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    op('X');
    fourBytes(bytes.length);
    pickle.writeBytes(bytes);
  }

  private void number(int number) {
    op('J');
    fourBytes(number);
  }

  private void fourBytes(int value) {
    pickle.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
  }
}
