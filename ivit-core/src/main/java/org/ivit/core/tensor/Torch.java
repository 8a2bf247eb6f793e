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
 * before. The state dict is the root, or lies under {@code model}, {@code state_dict} or {@code
 * model_state_dict} of it.
 */
final class Torch {
  static final String PICKLE = "data.pkl";

  private static final long LARGEST_PICKLE = 16 << 20;
  private static final List<String> NESTED = List.of("model", "state_dict", "model_state_dict");
  private static final int DEEPEST = 3;

  /** Gives the bytes of a storage. */
  private interface Storages {
    ByteBuffer bytes(Storage storage) throws IOException;
  }

  private Torch() {}

  static TensorFile readZip(FileBytes file, ZipEntries zip, String pickle) throws IOException {
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
    return tensors(
        file,
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

  static TensorFile readLegacy(FileBytes file) throws IOException {
    ByteBuffer head = file.slice("pickles", 0, Math.min(file.size(), LARGEST_PICKLE));
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
    return tensors(
        file,
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
      DType dtype = named.get(name).dtype();
      long bytes = count * (dtype == null ? 1 : dtype.size());
      storages.put(name, file.slice(what, at + 8, bytes));
      at += 8 + bytes;
    }
    return storages;
  }

  private static TensorFile tensors(FileBytes file, Object root, Storages storages)
      throws IOException {
    CopyBudget budget = new CopyBudget(file.size(), 1);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (Map.Entry<?, ?> item : stateDict(file.source(), root).entrySet()) {
      if (item.getKey() instanceof String name && item.getValue() instanceof View tensor) {
        String origin = file.source() + ": tensor " + MessageText.quote(name);
        tensors.put(name, tensor(origin, tensor, storages, budget));
      }
    }
    return new TensorFile(tensors, Map.of(), file.source());
  }

  private static Tensor tensor(String origin, View tensor, Storages storages, CopyBudget budget)
      throws IOException {
    Storage storage = tensor.storage();
    ByteBuffer bytes = storages.bytes(storage);
    int size = storage.dtype() == null ? 1 : storage.dtype().size();
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

  private static Map<?, ?> stateDict(String source, Object root) {
    Object value = root;
    for (int depth = 0; depth < DEEPEST && value instanceof Map<?, ?> map; depth++) {
      Object nested = null;
      for (String key : NESTED) {
        if (nested == null && map.get(key) instanceof Map<?, ?> found) {
          nested = found;
        }
      }
      if (nested == null) {
        for (Object item : map.values()) {
          if (item instanceof View) {
            return map;
          }
        }
        break;
      }
      value = nested;
    }
    throw new InputException(
        source + ": holds no tensors by name, at its root or under " + String.join(", ", NESTED));
  }
}
