package org.ivit.core.tensor;

import java.util.ArrayDeque;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.tensor.Pickled.Opaque;
import org.ivit.core.tensor.Pickled.Tuple;
import org.ivit.core.tensor.Pickled.View;

/**
 * The tensors within a value that was read from a pickle, by the path to each: keys of maps,
 * positions in lists and attributes of objects, joined with dots. A module of PyTorch names its
 * tensors as its own {@code state_dict} does.
 *
 * <p>Each container is walked once, by its shortest path, so what contains itself or is named many
 * times costs nothing.
 */
final class PickledTensors {
  private static final int MOST = 1 << 16;
  private static final int LONGEST_NAME = 512;
  private static final int DEEPEST = 64;

  /** Attributes of {@code torch.nn.Module} that hold what its names do not mention. */
  private static final Set<String> UNNAMED = Set.of("_parameters", "_buffers", "_modules");

  private record Place(Object value, String path, int depth) {}

  private final String source;
  private final Map<String, View> tensors = new LinkedHashMap<>();
  private final Map<String, String> others = new LinkedHashMap<>();
  private final Queue<Place> places = new ArrayDeque<>();
  private final Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());

  private PickledTensors(String source) {
    this.source = source;
  }

  /**
   * @param source names the file
   * @param root what was read
   * @throws InputException if there are more than 65,536 tensors, or two of one name
   */
  static PickledTensors of(String source, Object root) {
    PickledTensors walk = new PickledTensors(source);
    walk.visit(root, "", 0);
    while (!walk.places.isEmpty()) {
      walk.expand(walk.places.remove());
    }
    return walk;
  }

  /** Tensors by path; those near the root first. */
  Map<String, View> tensors() {
    return tensors;
  }

  /** The classes of objects that hold nothing that is known here, by path. */
  Map<String, String> others() {
    return others;
  }

  private void visit(Object value, String path, int depth) {
    if (value instanceof View view) {
      if (tensors.size() == MOST) {
        throw new InputException("%s: has more than %d tensors".formatted(source, MOST));
      }
      if (tensors.put(path, view) != null) {
        throw new InputException(
            "%s: two of its tensors have the path %s".formatted(source, MessageText.quote(path)));
      }
      return;
    }
    boolean container =
        value instanceof Map
            || value instanceof List
            || value instanceof Tuple
            || value instanceof Opaque;
    if (container && depth < DEEPEST && seen.add(value)) {
      places.add(new Place(value, path, depth + 1));
    }
  }

  private void expand(Place place) {
    if (place.value instanceof Map<?, ?> map) {
      members(map, place);
    } else if (place.value instanceof List<?> list) {
      elements(list, place);
    } else if (place.value instanceof Tuple tuple) {
      elements(tuple.items(), place);
    } else if (place.value instanceof Opaque opaque) {
      attributes(opaque, place);
    }
  }

  private void members(Map<?, ?> map, Place place) {
    map.forEach(
        (key, value) -> {
          if (!(key instanceof Opaque)) {
            child(value, place, String.valueOf(key));
          }
        });
  }

  private void elements(List<?> list, Place place) {
    for (int i = 0; i < list.size(); i++) {
      child(list.get(i), place, Integer.toString(i));
    }
  }

  private void attributes(Opaque opaque, Place place) {
    boolean empty =
        opaque.state() == null && opaque.items().isEmpty() && opaque.elements().isEmpty();
    if (empty && others.size() < MOST) {
      others.put(place.path, opaque.type());
    }
    members(opaque.items(), place);
    elements(opaque.elements(), place);
    if (opaque.state() instanceof Map<?, ?> state) {
      state.forEach(
          (key, value) -> {
            if (key instanceof String name && UNNAMED.contains(name)) {
              visit(value, place.path, place.depth);
            } else if (!(key instanceof Opaque)) {
              child(value, place, String.valueOf(key));
            }
          });
    } else {
      visit(opaque.state(), place.path, place.depth);
    }
  }

  /** Numbers and texts have no path; neither has what lies too deep for a model. */
  private void child(Object value, Place place, String key) {
    boolean walked = value instanceof Pickled || value instanceof Map || value instanceof List;
    if (!walked || place.path.length() + key.length() >= LONGEST_NAME) {
      return;
    }
    visit(value, place.path.isEmpty() ? key : place.path + "." + key, place.depth);
  }
}
