package org.ivit.core.tensor;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a pickle may hold beside Java's own numbers, texts, lists and maps. */
sealed interface Pickled {
  /** A name; it is never looked up, only compared. */
  record Global(String name, Globals.Kind kind) implements Pickled {}

  /** A tuple; also {@code torch.Size}. */
  record Tuple(List<Object> items) implements Pickled {}

  /**
   * A storage by its persistent id.
   *
   * @param type name of its class
   * @param dtype element type; null for the untyped, which counts bytes, and for those that no
   *     tensor here has
   * @param elementSize bytes an element
   * @param key of its bytes
   * @param count of elements
   * @param begin first element within the bytes of the key, for legacy views
   */
  record Storage(String type, DType dtype, int elementSize, String key, long count, long begin)
      implements Pickled {}

  /** A tensor before its bytes are looked at. */
  record View(Storage storage, StridedView view) implements Pickled {}

  /**
   * An object of a class that is not known here, kept as data: what was put into it, and its state.
   * Compared by identity.
   */
  final class Opaque implements Pickled {
    private final String type;
    private final Map<Object, Object> items = new LinkedHashMap<>();
    private final List<Object> elements = new ArrayList<>();
    private Object state;

    /**
     * @param type the class or function that would have made it
     */
    Opaque(String type) {
      this.type = type;
    }

    /** The class or function that would have made it. */
    String type() {
      return type;
    }

    /** What was set by key, as in a subclass of {@code dict}. */
    Map<Object, Object> items() {
      return items;
    }

    /** What was appended, as to a subclass of {@code list} or {@code set}. */
    List<Object> elements() {
      return elements;
    }

    /** The state, of most classes a map of attributes; null if there is none. */
    Object state() {
      return state;
    }

    void setState(Object state) {
      this.state = state;
    }
  }
}
