package org.ivit.core.tensor;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.tensor.Pickled.Storage;
import org.ivit.core.tensor.Pickled.View;

/**
 * PyTorch checkpoints, what {@code torch.save} writes: the zip form since 1.6 and the legacy form
 * before; and TorchScript archives, whose tensors lie in the same way. What a tensor is called is
 * the path to it: {@link PickledTensors}.
 */
final class Torch {
  static final String PICKLE = "data.pkl";

  private static final long LARGEST_PICKLE = 16 << 20;

  /** The first pickle of the legacy form: 0x1950a86a20f9469cfc6c, little-endian. */
  private static final byte[] MAGIC = {
    0x6c, (byte) 0xfc, (byte) 0x9c, 0x46, (byte) 0xf9, 0x20, 0x6a, (byte) 0xa8, 0x50, 0x19
  };

  private static final int MAGIC_WITHIN = 32;

  /** Gives the bytes of a storage. */
  private interface Storages {
    ByteBuffer bytes(Storage storage) throws IOException;
  }

  private Torch() {}

  static TensorContents readZip(FileBytes file, ZipEntries zip, String pickle) throws IOException {
    String folder = pickle.substring(0, pickle.length() - PICKLE.length());
    if (zip.contains(folder + "byteorder")) {
      ByteBuffer order = zip.bytes(folder + "byteorder", false);
      if (!StandardCharsets.US_ASCII.decode(order).toString().equals("little")) {
        throw new InputException(file.source() + ": byteorder: expected little");
      }
    }
    ByteBuffer bytes = zip.bytes(pickle, false);
    if (bytes.remaining() > LARGEST_PICKLE) {
      throw new InputException(
          "%s: data.pkl has %d bytes, expected at most %d"
              .formatted(file.source(), bytes.remaining(), LARGEST_PICKLE));
    }
    Object root = new Unpickler(file.source(), bytes).read();
    Map<String, ByteBuffer> read = new HashMap<>();
    boolean script = zip.contains(folder + "constants.pkl");
    return contents(
        file,
        script ? "TorchScript archive" : "PyTorch checkpoint",
        root,
        storage -> {
          ByteBuffer data = read.get(storage.key());
          if (data == null) {
            data = zip.bytes(folder + "data/" + storage.key(), false);
            read.put(storage.key(), data);
          }
          return data;
        });
  }

  static TensorContents readLegacy(FileBytes file) throws IOException {
    ByteBuffer head = file.slice("pickles", 0, Math.min(file.size(), LARGEST_PICKLE));
    if (!hasMagic(head)) {
      throw new InputException(
          file.source()
              + ": is a pickle that torch.save did not write: expected a checkpoint of torch.save,"
              + " or safetensors");
    }
    new Unpickler(file.source(), head).read();
    new Unpickler(file.source(), head).read();
    Object system = new Unpickler(file.source(), head).read();
    if (system instanceof Map<?, ?> map && Boolean.FALSE.equals(map.get("little_endian"))) {
      throw new InputException(file.source() + ": is big-endian, expected little-endian");
    }
    Unpickler unpickler = new Unpickler(file.source(), head);
    Object root = unpickler.read();
    if (!(new Unpickler(file.source(), head).read() instanceof List<?> keys)) {
      throw new InputException(file.source() + ": no list of storage keys after its pickles");
    }
    Map<String, ByteBuffer> storages =
        legacyStorages(file, unpickler.storages(), keys, head.position());
    return contents(
        file,
        "PyTorch checkpoint, legacy form",
        root,
        storage -> {
          ByteBuffer data = storages.get(storage.key());
          if (data == null) {
            throw new InputException(
                "%s: no storage %s".formatted(file.source(), MessageText.quote(storage.key())));
          }
          return data;
        });
  }

  private static boolean hasMagic(ByteBuffer head) {
    for (int at = 0; at <= Math.min(MAGIC_WITHIN, head.limit() - MAGIC.length); at++) {
      if (head.slice(at, MAGIC.length).equals(ByteBuffer.wrap(MAGIC))) {
        return true;
      }
    }
    return false;
  }

  /** Each: the number of elements as 8 bytes, then the elements; the type stands in the pickle. */
  private static Map<String, ByteBuffer> legacyStorages(
      FileBytes file, Map<String, Storage> named, List<?> keys, long begin) throws IOException {
    Map<String, ByteBuffer> storages = new HashMap<>();
    long at = begin;
    for (Object key : keys) {
      if (!(key instanceof String name) || !named.containsKey(name)) {
        throw new InputException(file.source() + ": holds a storage that its pickle does not name");
      }
      String what = "storage " + MessageText.quote(name);
      long count = file.slice(what, at, 8).getLong();
      if (count < 0 || count > Integer.MAX_VALUE) {
        throw new InputException(
            "%s: %s at byte %d: has %d elements".formatted(file.source(), what, at, count));
      }
      long bytes = count * named.get(name).elementSize();
      storages.put(name, file.slice(what, at + 8, bytes));
      at += 8 + bytes;
    }
    return storages;
  }

  private static TensorContents contents(
      FileBytes file, String format, Object root, Storages storages) {
    CopyBudget budget = new CopyBudget(file.size(), 1);
    PickledTensors found = PickledTensors.of(file.source(), root);
    Map<String, TensorContents.Reader> readers = new LinkedHashMap<>();
    found
        .tensors()
        .forEach(
            (name, view) -> {
              String origin = file.source() + ": tensor " + MessageText.quote(name);
              readers.put(name, () -> tensor(origin, view, storages, budget));
            });
    return new TensorContents(file.source(), format, Map.of(), readers, found.others(), file);
  }

  private static Tensor tensor(String origin, View tensor, Storages storages, CopyBudget budget)
      throws IOException {
    Storage storage = tensor.storage();
    ByteBuffer bytes = storages.bytes(storage);
    int size = storage.elementSize();
    long available = bytes.remaining() / size;
    boolean fits =
        storage.begin() >= 0
            && storage.begin() <= available
            && storage.count() >= 0
            && storage.count() <= available - storage.begin();
    if (!fits) {
      throw new InputException(
          "%s: its storage has %d elements, expected %d from %d: truncated or damaged"
              .formatted(origin, available, storage.count(), storage.begin()));
    }
    int begin = (int) storage.begin() * size;
    return tensor.view().of(origin, bytes.slice(begin, (int) storage.count() * size), budget);
  }
}
