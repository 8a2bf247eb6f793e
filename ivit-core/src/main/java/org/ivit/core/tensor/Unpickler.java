package org.ivit.core.tensor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.tensor.Pickled.Global;
import org.ivit.core.tensor.Pickled.Opaque;
import org.ivit.core.tensor.Pickled.Storage;
import org.ivit.core.tensor.Pickled.Tuple;
import org.ivit.core.tensor.Pickled.View;

/**
 * Reads the pickles that {@code torch.save} writes, as data: no name is ever looked up or called.
 * Tensors and maps are made of what {@link Globals} knows, every other object is {@link Opaque},
 * and a name that could only be there to run something refuses the file. Its loop has its own
 * stack, so nesting costs no depth, and values are never walked, so cycles and memo bombs cost
 * nothing. Opcodes: <a
 * href="https://github.com/python/cpython/blob/main/Lib/pickletools.py">pickletools</a>.
 */
final class Unpickler {
  private static final int MOST_OPCODES = 2_000_000;
  private static final int LONGEST_NAME = 256;

  /** A memo lets a short pickle copy one long size into many tensors. */
  private static final int MOST_DIMENSIONS = 64;

  private final String source;
  private final ByteBuffer in;
  private final Map<Integer, Object> memo = new HashMap<>();
  private final List<List<Object>> marks = new ArrayList<>();
  private final Map<String, Storage> storages = new LinkedHashMap<>();
  private List<Object> stack = new ArrayList<>();
  private long pairs;

  /**
   * @param source names file and part
   * @param in read from its position on, which afterwards lies behind the pickle
   */
  Unpickler(String source, ByteBuffer in) {
    this.source = source;
    this.in = in.order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * @return null, Boolean, Long, Double, String, byte[], List, Map, or {@link Pickled}
   * @throws InputException naming the global, opcode or byte that is refused
   */
  Object read() {
    for (int i = 0; i < MOST_OPCODES; i++) {
      need(1);
      int opcode = in.get() & 0xff;
      if (opcode == '.') {
        return pop();
      }
      step(opcode);
    }
    throw refused("has more than " + MOST_OPCODES + " opcodes");
  }

  /** The storages that the pickle has named so far, by key. */
  Map<String, Storage> storages() {
    return storages;
  }

  private void step(int opcode) {
    switch (opcode) {
      case 0x80 -> protocol(unsigned8());
      case 0x95 -> bytes(8);
      case '(' -> mark();
      case '0' -> pop();
      case '1' -> popMark();
      case '2' -> push(peek());
      case 'N' -> push(null);
      case 0x88 -> push(true);
      case 0x89 -> push(false);
      case 'K' -> push((long) unsigned8());
      case 'M' -> push((long) unsigned16());
      case 'J' -> push((long) signed32());
      case 0x8a -> push(number(unsigned8()));
      case 0x8b -> push(number(length(Integer.toUnsignedLong(signed32()))));
      case 'G' -> push(bytes(8).order(ByteOrder.BIG_ENDIAN).getDouble());
      case 'X' -> push(text(Integer.toUnsignedLong(signed32())));
      case 0x8c -> push(text(unsigned8()));
      case 0x8d -> push(text(bytes(8).getLong()));
      case 'T' -> push(text(Integer.toUnsignedLong(signed32())));
      case 'U' -> push(text(unsigned8()));
      case 'B' -> push(array(Integer.toUnsignedLong(signed32())));
      case 'C' -> push(array(unsigned8()));
      case 0x8e, 0x96 -> push(array(bytes(8).getLong()));
      case ']', 0x8f -> push(new ArrayList<>());
      case '}' -> push(new LinkedHashMap<>());
      case ')' -> push(new Tuple(List.of()));
      case 't' -> push(new Tuple(popMark()));
      case 'l', 0x91 -> push(popMark());
      case 'd' -> dictionary();
      case 0x85 -> push(new Tuple(popLast(1)));
      case 0x86 -> push(new Tuple(popLast(2)));
      case 0x87 -> push(new Tuple(popLast(3)));
      case 'a' -> append(popLast(1));
      case 'e', 0x90 -> append(popMark());
      case 's' -> put(popLast(2));
      case 'u' -> put(popMark());
      case 'q' -> memo.put(unsigned8(), peek());
      case 'r' -> memo.put(signed32(), peek());
      case 0x94 -> memo.put(memo.size(), peek());
      case 'h' -> recall(unsigned8());
      case 'j' -> recall(signed32());
      case 'c' -> global(line(), line());
      case 'i' -> instance();
      case 0x93 -> stackGlobal();
      case 'Q' -> push(persistent(pop()));
      case 'R', 0x81 -> reduce(popLast(2));
      case 0x92 -> reduce(popLast(3));
      case 'o' -> object(popMark());
      case 'b' -> build();
      default ->
          throw refused(
              "opcode 0x%02x at its byte %d is not one of a checkpoint"
                  .formatted(opcode, in.position() - 1));
    }
  }

  private void protocol(int version) {
    if (version > 5) {
      throw refused("has protocol " + version + ", expected at most 5");
    }
  }

  private void push(Object value) {
    stack.add(value);
  }

  private Object peek() {
    if (stack.isEmpty()) {
      throw refused("takes from an empty stack at its byte " + (in.position() - 1));
    }
    return stack.get(stack.size() - 1);
  }

  private Object pop() {
    Object value = peek();
    stack.remove(stack.size() - 1);
    return value;
  }

  private List<Object> popLast(int count) {
    if (stack.size() < count) {
      throw refused("takes from an empty stack at its byte " + (in.position() - 1));
    }
    List<Object> tail = stack.subList(stack.size() - count, stack.size());
    List<Object> items = new ArrayList<>(tail);
    tail.clear();
    return items;
  }

  private void mark() {
    marks.add(stack);
    stack = new ArrayList<>();
  }

  private List<Object> popMark() {
    if (marks.isEmpty()) {
      throw refused("takes from no mark at its byte " + (in.position() - 1));
    }
    List<Object> items = stack;
    stack = marks.remove(marks.size() - 1);
    return items;
  }

  private void recall(int index) {
    if (!memo.containsKey(index)) {
      throw refused("recalls memo %d, which it has not".formatted(index));
    }
    push(memo.get(index));
  }

  private void dictionary() {
    List<Object> items = popMark();
    push(new LinkedHashMap<>());
    put(items);
  }

  private void append(List<Object> items) {
    if (peek() instanceof Opaque opaque) {
      opaque.elements().addAll(items);
      return;
    }
    if (!(peek() instanceof List<?>)) {
      throw refused("appends to what is no list");
    }
    @SuppressWarnings("unchecked")
    List<Object> list = (List<Object>) peek();
    list.addAll(items);
  }

  private void put(List<Object> items) {
    if (items.size() % 2 != 0) {
      throw refused("has a key without a value");
    }
    if (!(peek() instanceof Opaque || peek() instanceof Map<?, ?>)) {
      throw refused("sets an item of what is no map");
    }
    @SuppressWarnings("unchecked")
    Map<Object, Object> map =
        peek() instanceof Opaque opaque ? opaque.items() : (Map<Object, Object>) peek();
    for (int i = 0; i < items.size(); i += 2) {
      map.put(key(items.get(i)), items.get(i + 1));
    }
  }

  /** Hashing a container could recurse without end; a key that is no name is never looked up. */
  private static Object key(Object value) {
    boolean plain = value instanceof String || value instanceof Long || value instanceof Boolean;
    return plain ? value : new Opaque("a key");
  }

  private void stackGlobal() {
    List<Object> names = popLast(2);
    if (names.get(0) instanceof String module && names.get(1) instanceof String name) {
      global(module, name);
    } else {
      throw refused("names a global by what is no text");
    }
  }

  private void global(String module, String name) {
    String full = module + "." + name;
    if (Globals.harmful(full)) {
      throw refused(
          "names %s, which no checkpoint of tensors needs; nothing was executed"
              .formatted(MessageText.quote(full)));
    }
    push(new Global(full, Globals.kind(full)));
  }

  /** Protocol 0's way to make an object: the arguments lie behind a mark, the class in the text. */
  private void instance() {
    global(line(), line());
    Object type = pop();
    reduce(List.of(type, new Tuple(popMark())));
  }

  /** Protocol 1's: class and arguments lie behind a mark. */
  private void object(List<Object> items) {
    if (items.isEmpty()) {
      throw refused("makes an object of no class");
    }
    reduce(Arrays.asList(items.get(0), new Tuple(items.subList(1, items.size()))));
  }

  private void build() {
    Object state = pop();
    Object target = peek();
    if (target instanceof Opaque opaque) {
      opaque.setState(state);
    } else if (!(target instanceof Map<?, ?> || target instanceof View)) {
      throw refused("sets the state of what has none");
    }
  }

  /**
   * @param call a name, its arguments, and keyword arguments if any
   */
  private void reduce(List<Object> call) {
    if (call.get(0) instanceof Opaque function && call.get(1) instanceof Tuple) {
      push(new Opaque(function.type()));
      return;
    }
    if (!(call.get(0) instanceof Global global) || !(call.get(1) instanceof Tuple arguments)) {
      throw refused("calls what is no name at its byte " + (in.position() - 1));
    }
    List<Object> items = arguments.items();
    push(
        switch (global.kind()) {
          case TENSOR -> tensor(items, null);
          case TENSOR_WITH_DTYPE -> tensorWithDType(items);
          case TENSOR_OF_TYPE -> tensorOfType(items);
          case PARAMETER -> parameter(items);
          case MAP -> map(items);
          case SIZE -> items.size() == 1 ? items.get(0) : arguments;
          case STORAGE, DTYPE -> throw refused("calls " + global.name());
          case TENSOR_TYPE, FOREIGN -> new Opaque(global.name());
        });
  }

  /** (function, class, arguments, …): a tensor with attributes of its own, which are not kept. */
  private Object tensorOfType(List<Object> items) {
    boolean plain =
        items.size() >= 3
            && items.get(0) instanceof Global function
            && (function.kind() == Globals.Kind.TENSOR
                || function.kind() == Globals.Kind.TENSOR_WITH_DTYPE)
            && items.get(1) instanceof Global type
            && type.kind() == Globals.Kind.TENSOR_TYPE
            && items.get(2) instanceof Tuple;
    if (!plain) {
      return new Opaque(
          items.size() > 1 && items.get(1) instanceof Global type ? type.name() : "a tensor class");
    }
    List<Object> arguments = ((Tuple) items.get(2)).items();
    return ((Global) items.get(0)).kind() == Globals.Kind.TENSOR
        ? tensor(arguments, null)
        : tensorWithDType(arguments);
  }

  /** An OrderedDict of pairs; a list that is walked again and again counts each time. */
  private Object map(List<Object> items) {
    Map<Object, Object> map = new LinkedHashMap<>();
    if (!items.isEmpty() && items.get(0) instanceof List<?> list) {
      pairs += list.size();
      if (pairs > MOST_OPCODES) {
        throw refused("makes OrderedDicts of more than " + MOST_OPCODES + " pairs");
      }
      for (Object pair : list) {
        if (!(pair instanceof Tuple tuple) || tuple.items().size() != 2) {
          throw refused("makes an OrderedDict of what are no pairs");
        }
        map.put(key(tuple.items().get(0)), tuple.items().get(1));
      }
    }
    return map;
  }

  private Object parameter(List<Object> items) {
    boolean fits =
        !items.isEmpty() && (items.get(0) instanceof View || items.get(0) instanceof Opaque);
    if (!fits) {
      throw refused("makes a parameter of what is no tensor");
    }
    return items.get(0);
  }

  private Object tensorWithDType(List<Object> items) {
    if (items.size() <= 6 || !(items.get(6) instanceof Global global)) {
      throw refused("makes a tensor without a dtype");
    }
    DType dtype = Globals.dtype(global.name());
    return dtype == null ? new Opaque(global.name()) : tensor(items, dtype);
  }

  /** A view; opaque where the elements are of a type that no tensor here has. */
  private Object tensor(List<Object> items, DType given) {
    boolean fits =
        items.size() >= 4
            && items.get(0) instanceof Storage
            && items.get(1) instanceof Long
            && items.get(2) instanceof Tuple
            && items.get(3) instanceof Tuple;
    if (!fits) {
      throw refused("makes a tensor of what is no storage, offset, size and stride");
    }
    Storage storage = (Storage) items.get(0);
    DType dtype = given == null ? storage.dtype() : given;
    if (dtype == null && Globals.untyped(storage.type())) {
      throw refused("makes a tensor of an untyped storage without a dtype");
    }
    if (dtype == null) {
      return new Opaque(storage.type());
    }
    long[] shape = longs((Tuple) items.get(2));
    long[] strides = longs((Tuple) items.get(3));
    return new View(storage, new StridedView(dtype, (Long) items.get(1), shape, strides));
  }

  private long[] longs(Tuple tuple) {
    int length = tuple.items().size();
    if (length > MOST_DIMENSIONS) {
      throw refused(
          "has a size or stride of %d numbers, expected at most %d"
              .formatted(length, MOST_DIMENSIONS));
    }
    long[] values = new long[length];
    for (int i = 0; i < values.length; i++) {
      if (!(tuple.items().get(i) instanceof Long value)) {
        throw refused("has a size or stride that is no integer");
      }
      values[i] = value;
    }
    return values;
  }

  /** Beside storages: ('module', class, file, source), which legacy files hold of own classes. */
  private Object persistent(Object id) {
    boolean module =
        id instanceof Tuple tuple
            && tuple.items().size() >= 2
            && "module".equals(tuple.items().get(0))
            && tuple.items().get(1) instanceof Global;
    return module ? ((Tuple) id).items().get(1) : storage(id);
  }

  /**
   * ('storage', class, key, device, count), in legacy files with (key of the view, begin, count) or
   * None.
   */
  private Storage storage(Object id) {
    boolean fits =
        id instanceof Tuple tuple
            && tuple.items().size() >= 5
            && tuple.items().get(1) instanceof Global global
            && global.kind() == Globals.Kind.STORAGE
            && tuple.items().get(2) instanceof String
            && tuple.items().get(4) instanceof Long;
    if (!fits) {
      throw refused("has a persistent id that is no storage");
    }
    List<Object> items = ((Tuple) id).items();
    long count = (Long) items.get(4);
    long begin = 0;
    if (items.size() > 5 && items.get(5) instanceof Tuple view) {
      if (view.items().size() != 3
          || !(view.items().get(1) instanceof Long first)
          || !(view.items().get(2) instanceof Long length)) {
        throw refused("has a view of a storage without begin and length");
      }
      begin = first;
      count = length;
    }
    String type = ((Global) items.get(1)).name();
    Storage storage =
        new Storage(
            type,
            Globals.dtype(type),
            Globals.elementSize(type),
            (String) items.get(2),
            count,
            begin);
    storages.putIfAbsent(storage.key(), storage);
    return storage;
  }

  private void need(long count) {
    if (count < 0 || count > in.remaining()) {
      throw refused(
          "needs %s bytes at its byte %d, but ends at byte %d: truncated or damaged"
              .formatted(Long.toUnsignedString(count), in.position(), in.limit()));
    }
  }

  private ByteBuffer bytes(int count) {
    need(count);
    ByteBuffer part = in.slice(in.position(), count).order(ByteOrder.LITTLE_ENDIAN);
    in.position(in.position() + count);
    return part;
  }

  private int unsigned8() {
    need(1);
    return in.get() & 0xff;
  }

  private int unsigned16() {
    need(2);
    return Short.toUnsignedInt(in.getShort());
  }

  private int signed32() {
    need(4);
    return in.getInt();
  }

  private int length(long count) {
    need(count);
    return (int) count;
  }

  /** A little-endian integer; one of more than 64 bits is nothing a tensor needs. */
  private Object number(int length) {
    ByteBuffer part = bytes(length);
    if (length > 8) {
      return new Opaque("an integer of more than 64 bits");
    }
    long value = length == 0 ? 0 : part.get(length - 1);
    for (int i = length - 2; i >= 0; i--) {
      value = (value << 8) | (part.get(i) & 0xff);
    }
    return value;
  }

  private byte[] array(long count) {
    need(count);
    byte[] array = new byte[(int) count];
    in.get(array);
    return array;
  }

  private String text(long count) {
    return new String(array(count), StandardCharsets.UTF_8);
  }

  private String line() {
    StringBuilder line = new StringBuilder();
    while (true) {
      int c = unsigned8();
      if (c == '\n') {
        return line.toString();
      }
      if (line.length() == LONGEST_NAME) {
        throw refused("names a global of more than " + LONGEST_NAME + " characters");
      }
      line.append((char) c);
    }
  }

  private InputException refused(String reason) {
    return new InputException("%s: the pickle %s".formatted(source, reason));
  }
}
