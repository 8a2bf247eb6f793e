package org.ivit.core.tensor;

import java.util.List;

/** What a pickle may hold beside Java's own numbers, texts, lists and maps. */
sealed interface Pickled {
  /** A name on the allow-list; it is never looked up, only compared. */
  record Global(String name, AllowedGlobals.Kind kind) implements Pickled {}

  /** A tuple; also {@code torch.Size}. */
  record Tuple(List<Object> items) implements Pickled {}

  /**
   * A storage by its persistent id.
   *
   * @param type name of its class
   * @param dtype element type; null for the untyped, which counts bytes
   * @param key of its bytes
   * @param count of elements
   * @param begin first element within the bytes of the key, for legacy views
   */
  record Storage(String type, DType dtype, String key, long count, long begin) implements Pickled {}

  /** A tensor before its bytes are looked at. */
  record View(Storage storage, StridedView view) implements Pickled {}

  /** A value that nothing here needs; compared by identity. */
  final class Opaque implements Pickled {}
}
