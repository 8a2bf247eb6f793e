import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Counts the instructions of kernels, for scripts/count-cuda: reads on standard input what {@code
 * cuobjdump --dump-resource-usage --dump-sass} prints. Without arguments it prints a line a kernel;
 * with a kernel, its loops; with trips or branches too, the instructions on that way through it.
 */
class CountCuda {
  private static final int[] WIDTHS = {8, 16, 32, 64, 128};
  private static final Pattern TRIP = Pattern.compile("(\\w+)=([1-9]\\d{0,8})");
  private static final long LONGEST_WALK = 100_000_000;

  /** Arguments: [KERNEL [TRIPS [TAKEN]]]; trips HEAD=N and addresses by commas, in hexadecimal. */
  public static void main(String[] args) throws IOException {
    try (BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      List<Kernel> kernels = new Listing(in).kernels();
      if (kernels.isEmpty()) {
        throw new Refused("no kernel in what cuobjdump printed");
      }
      if (args.length == 0) {
        table(kernels);
        return;
      }
      Kernel kernel =
          kernels.stream()
              .filter(found -> found.name().equals(args[0]))
              .findFirst()
              .orElseThrow(() -> new Refused("no kernel " + args[0]));
      String trips = args.length > 1 ? args[1] : "";
      String taken = args.length > 2 ? args[2] : "";
      loops(kernel);
      if (!trips.isEmpty() || !taken.isEmpty()) {
        System.out.println();
        walk(kernel, trips, taken);
      }
    } catch (Refused e) {
      System.err.println("count-cuda: " + e.getMessage());
      System.exit(1);
    }
  }

  private static final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1;

    Refused(String message) {
      super(message);
    }
  }

  /** An instruction; {@code target} is -1 where it names no address. */
  private record Instruction(
      int address, String guard, String opcode, String operands, int target) {
    String operation() {
      return opcode.contains(".") ? opcode.substring(0, opcode.indexOf('.')) : opcode;
    }

    boolean tensor() {
      return Set.of("IMMA", "IGMMA", "HMMA", "HGMMA", "BMMA", "DMMA", "QGMMA")
          .contains(operation());
    }

    /** A copy past the registers, by a thread or by the copy engine. */
    boolean async() {
      return Set.of("LDGSTS", "UTMALDG", "UTMASTG", "UBLKCP").contains(operation());
    }

    boolean atomic() {
      return operation().startsWith("ATOM") || operation().startsWith("RED");
    }

    boolean local() {
      return operation().equals("LDL") || operation().equals("STL");
    }

    /** Not where lanes part for a collective: that way is for warps that are not whole. */
    boolean branch() {
      return operation().equals("BRA") && !opcode.contains(".DIV") && !opcode.contains(".CONV");
    }

    boolean conditional() {
      return !guard.isEmpty() || operands.contains(",");
    }

    boolean end() {
      return Set.of("EXIT", "RET").contains(operation()) && guard.isEmpty();
    }

    /** Bits that a thread loads or stores. */
    int width() {
      for (String part : opcode.split("\\.")) {
        switch (part) {
          case "U8", "S8" -> {
            return 8;
          }
          case "U16", "S16" -> {
            return 16;
          }
          case "64" -> {
            return 64;
          }
          case "128" -> {
            return 128;
          }
          default -> {}
        }
      }
      return 32;
    }
  }

  /** A natural loop: from each place in {@code body} its head is reached again. */
  private record Loop(int head, int last, BitSet body) {
    boolean in(Loop outer) {
      BitSet rest = (BitSet) body.clone();
      rest.andNot(outer.body);
      return rest.isEmpty() && body.cardinality() < outer.body.cardinality();
    }
  }

  /** A kernel by its instructions, padding left out; loops are places in them, outer ones first. */
  private record Kernel(
      String name,
      int registers,
      List<Instruction> code,
      List<int[]> successors,
      List<Loop> loops) {
    static Kernel of(String name, int registers, List<Instruction> listed) {
      List<Instruction> code = new ArrayList<>(listed);
      while (!code.isEmpty() && padding(code.get(code.size() - 1))) {
        code.remove(code.size() - 1);
      }
      List<int[]> successors = successors(name, code);
      return new Kernel(name, registers, code, successors, naturalLoops(successors));
    }

    private static boolean padding(Instruction last) {
      return last.operation().equals("NOP")
          || last.operation().equals("BRA") && last.target() == last.address();
    }

    private static List<int[]> successors(String name, List<Instruction> code) {
      Map<Integer, Integer> places = places(code);
      List<int[]> all = new ArrayList<>();
      for (int i = 0; i < code.size(); i++) {
        Instruction instruction = code.get(i);
        int next = i + 1 < code.size() ? i + 1 : -1;
        int other = -1;
        if (instruction.branch()) {
          other = places.getOrDefault(instruction.target(), -1);
          if (other < 0) {
            throw new Refused(
                "%s: the branch at %x leads nowhere".formatted(name, instruction.address()));
          }
          next = instruction.conditional() ? next : -1;
        } else if (instruction.end()) {
          next = -1;
        }
        int first = next;
        int second = other;
        all.add(Arrays.stream(new int[] {first, second}).filter(place -> place >= 0).toArray());
      }
      return all;
    }

    Map<Integer, Integer> places() {
      return places(code);
    }

    private static Map<Integer, Integer> places(List<Instruction> code) {
      Map<Integer, Integer> places = new HashMap<>();
      for (int i = 0; i < code.size(); i++) {
        places.put(code.get(i).address(), i);
      }
      return places;
    }

    long count(Predicate<Instruction> what) {
      return code.stream().filter(what).count();
    }

    long count(BitSet where, Predicate<Instruction> what) {
      return where.stream().filter(place -> what.test(code.get(place))).count();
    }

    /** Of the loops around tensor-core instructions without another such in them, the fullest. */
    Loop mainLoop() {
      List<Loop> around =
          loops.stream().filter(loop -> count(loop.body(), Instruction::tensor) > 0).toList();
      return around.stream()
          .filter(loop -> around.stream().noneMatch(inner -> inner.in(loop)))
          .max(Comparator.comparingLong(loop -> count(loop.body(), Instruction::tensor)))
          .orElse(null);
    }

    /** What is reached from a loop without coming to its head, or that of one around it, again. */
    BitSet after(Loop loop) {
      Set<Integer> heads = new HashSet<>();
      for (Loop other : loops) {
        if (other.equals(loop) || loop.in(other)) {
          heads.add(other.head());
        }
      }
      BitSet seen = (BitSet) loop.body().clone();
      Deque<Integer> open = new ArrayDeque<>(loop.body().stream().boxed().toList());
      while (!open.isEmpty()) {
        for (int next : successors.get(open.pop())) {
          if (!seen.get(next) && !heads.contains(next)) {
            seen.set(next);
            open.push(next);
          }
        }
      }
      seen.andNot(loop.body());
      return seen;
    }

    /** The loops in which a place lies, the innermost last. */
    List<Loop> around(int place) {
      return loops.stream().filter(loop -> loop.body().get(place)).toList();
    }
  }

  private static List<Loop> naturalLoops(List<int[]> successors) {
    int size = successors.size();
    List<List<Integer>> predecessors = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      predecessors.add(new ArrayList<>());
    }
    for (int i = 0; i < size; i++) {
      for (int next : successors.get(i)) {
        predecessors.get(next).add(i);
      }
    }
    int[] dominator = dominators(successors, predecessors);
    Map<Integer, BitSet> bodies = new TreeMap<>();
    for (int i = 0; i < size; i++) {
      for (int head : successors.get(i)) {
        if (dominator[i] >= 0 && dominates(dominator, head, i)) {
          BitSet body = bodies.computeIfAbsent(head, key -> new BitSet());
          body.set(head);
          Deque<Integer> open = new ArrayDeque<>(List.of(i));
          while (!open.isEmpty()) {
            int place = open.pop();
            if (!body.get(place)) {
              body.set(place);
              open.addAll(predecessors.get(place));
            }
          }
        }
      }
    }
    List<Loop> loops = new ArrayList<>();
    bodies.forEach((head, body) -> loops.add(new Loop(head, body.length() - 1, body)));
    loops.sort(Comparator.comparingInt(loop -> -loop.body().cardinality()));
    return loops;
  }

  private static boolean dominates(int[] dominator, int upper, int place) {
    int at = place;
    while (at != upper && at != 0) {
      at = dominator[at];
    }
    return at == upper;
  }

  /** Immediate dominators by Cooper, Harvey and Kennedy; -1 where nothing leads. */
  private static int[] dominators(List<int[]> successors, List<List<Integer>> predecessors) {
    int size = successors.size();
    List<Integer> order = postorder(successors);
    int[] number = new int[size];
    for (int i = 0; i < order.size(); i++) {
      number[order.get(i)] = i;
    }
    int[] dominator = new int[size];
    Arrays.fill(dominator, -1);
    dominator[0] = 0;
    boolean changed = true;
    while (changed) {
      changed = false;
      for (int i = order.size() - 2; i >= 0; i--) {
        int place = order.get(i);
        int found = -1;
        for (int from : predecessors.get(place)) {
          if (dominator[from] >= 0) {
            found = found < 0 ? from : common(dominator, number, from, found);
          }
        }
        if (dominator[place] != found) {
          dominator[place] = found;
          changed = true;
        }
      }
    }
    return dominator;
  }

  private static int common(int[] dominator, int[] number, int first, int second) {
    int a = first;
    int b = second;
    while (a != b) {
      if (number[a] < number[b]) {
        a = dominator[a];
      } else {
        b = dominator[b];
      }
    }
    return a;
  }

  private static List<Integer> postorder(List<int[]> successors) {
    List<Integer> order = new ArrayList<>();
    BitSet seen = new BitSet();
    Deque<int[]> open = new ArrayDeque<>();
    open.push(new int[] {0, 0});
    seen.set(0);
    while (!open.isEmpty()) {
      int[] top = open.peek();
      int[] next = successors.get(top[0]);
      if (top[1] == next.length) {
        order.add(top[0]);
        open.pop();
      } else {
        int to = next[top[1]++];
        if (!seen.get(to)) {
          seen.set(to);
          open.push(new int[] {to, 0});
        }
      }
    }
    return order;
  }

  /** The text of cuobjdump: resource usage of all kernels, then their code. */
  private static final class Listing {
    private static final Pattern USAGE_OF = Pattern.compile("\\s*Function (\\S+):");
    private static final Pattern USAGE = Pattern.compile("\\s*REG:(\\d+) .*");
    private static final Pattern FUNCTION = Pattern.compile("\\s*Function : (\\S+)");
    private static final Pattern CODE =
        Pattern.compile(
            "\\s*/\\*([0-9a-f]{4,})\\*/\\s+(?:(@!?U?P\\w+)\\s+)?([A-Z][A-Z0-9_.a-z]*)\\s*([^;]*?)\\s*;.*");
    private static final Pattern TARGET =
        Pattern.compile("(?:.*,)?\\s*(?:`\\(\\S+\\)|0x([0-9a-f]+))");

    private final Map<String, Integer> registers = new HashMap<>();
    private final Map<String, List<Instruction>> code = new TreeMap<>();

    Listing(BufferedReader in) throws IOException {
      String usage = "";
      List<Instruction> current = new ArrayList<>();
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        Matcher matcher = CODE.matcher(line);
        if (matcher.matches()) {
          current.add(instruction(matcher));
          continue;
        }
        matcher = FUNCTION.matcher(line);
        if (matcher.matches()) {
          current = code.computeIfAbsent(matcher.group(1), name -> new ArrayList<>());
          continue;
        }
        matcher = USAGE_OF.matcher(line);
        if (matcher.matches()) {
          usage = matcher.group(1);
          continue;
        }
        matcher = USAGE.matcher(line);
        if (matcher.matches()) {
          registers.put(usage, Integer.parseInt(matcher.group(1)));
        }
      }
    }

    private static Instruction instruction(Matcher matcher) {
      String guard = matcher.group(2) == null ? "" : matcher.group(2);
      String opcode = matcher.group(3);
      int target = -1;
      if (opcode.startsWith("BRA") || opcode.startsWith("CALL")) {
        Matcher to = TARGET.matcher(matcher.group(4));
        if (to.matches() && to.group(1) != null) {
          target = Integer.parseInt(to.group(1), 16);
        }
      }
      return new Instruction(
          Integer.parseInt(matcher.group(1), 16), guard, opcode, matcher.group(4), target);
    }

    List<Kernel> kernels() {
      return code.entrySet().stream()
          .map(
              entry ->
                  Kernel.of(
                      entry.getKey(), registers.getOrDefault(entry.getKey(), 0), entry.getValue()))
          .toList();
    }
  }

  /** Counts of an operation by width, as 8/16/32/64/128. */
  private static String widths(Collection<Instruction> code, String operation) {
    int[] counts = new int[WIDTHS.length];
    for (Instruction instruction : code) {
      if (instruction.operation().equals(operation)) {
        counts[Arrays.binarySearch(WIDTHS, instruction.width())]++;
      }
    }
    return String.join("/", Arrays.stream(counts).mapToObj(Integer::toString).toList());
  }

  private static void table(List<Kernel> kernels) {
    String line = "%-38s %4s %6s %6s %6s %7s %7s %-19s %-19s %-19s %-19s %5s %5s %5s %5s %5s%n";
    System.out.printf(
        line,
        "kernel",
        "regs",
        "all",
        "loop",
        "after",
        "tensor",
        "in loop",
        "ldg 8/16/32/64/128",
        "stg",
        "lds",
        "sts",
        "ldsm",
        "async",
        "atom",
        "call",
        "local");
    for (Kernel kernel : kernels) {
      Loop loop = kernel.mainLoop();
      System.out.printf(
          line,
          kernel.name(),
          kernel.registers(),
          kernel.code().size(),
          loop == null ? "-" : loop.body().cardinality(),
          loop == null ? "-" : kernel.after(loop).cardinality(),
          kernel.count(Instruction::tensor),
          loop == null ? "-" : kernel.count(loop.body(), Instruction::tensor),
          widths(kernel.code(), "LDG"),
          widths(kernel.code(), "STG"),
          widths(kernel.code(), "LDS"),
          widths(kernel.code(), "STS"),
          kernel.count(i -> i.operation().equals("LDSM")),
          kernel.count(Instruction::async),
          kernel.count(Instruction::atomic),
          kernel.count(i -> i.operation().equals("CALL")),
          kernel.count(Instruction::local));
    }
  }

  private static void loops(Kernel kernel) {
    String line = "%-24s %6s %6s %7s %6s %6s %6s%n";
    System.out.printf(line, "loop", "all", "own", "tensor", "shared", "global", "calls");
    List<Loop> inOrder =
        kernel.loops().stream()
            .sorted(
                Comparator.comparingInt((Loop loop) -> loop.head())
                    .thenComparingInt(loop -> -loop.body().cardinality()))
            .toList();
    for (Loop loop : inOrder) {
      BitSet own = (BitSet) loop.body().clone();
      kernel.loops().stream().filter(inner -> inner.in(loop)).forEach(in -> own.andNot(in.body()));
      System.out.printf(
          line,
          "  ".repeat(kernel.around(loop.head()).size() - 1)
              + "%x-%x"
                  .formatted(
                      kernel.code().get(loop.head()).address(),
                      kernel.code().get(loop.last()).address()),
          loop.body().cardinality(),
          own.cardinality(),
          kernel.count(loop.body(), Instruction::tensor),
          kernel.count(loop.body(), CountCuda::shared),
          kernel.count(loop.body(), CountCuda::global),
          kernel.count(loop.body(), i -> i.operation().equals("CALL")));
    }
  }

  private static boolean shared(Instruction instruction) {
    return Set.of("LDS", "STS", "LDSM", "STSM", "ATOMS").contains(instruction.operation());
  }

  private static boolean global(Instruction instruction) {
    return Set.of("LDG", "STG", "LDGSTS", "ATOMG", "RED", "REDG").contains(instruction.operation());
  }

  /**
   * Goes through a kernel as one warp does: branches back so often that each loop has its trips (1
   * where none are named), other branches with a condition only where they are named, and through
   * what is called.
   */
  private static void walk(Kernel kernel, String trips, String taken) {
    Map<Integer, Integer> places = kernel.places();
    Map<Integer, Long> left = new HashMap<>();
    Map<Integer, Long> wanted = new HashMap<>();
    for (String trip : trips.isEmpty() ? new String[0] : trips.split(",")) {
      Matcher pair = TRIP.matcher(trip);
      if (!pair.matches()) {
        throw new Refused(trip + ": expected trips as HEAD=N");
      }
      wanted.put(address(pair.group(1)), Long.parseLong(pair.group(2)));
    }
    Set<Integer> forward = new HashSet<>();
    for (String branch : taken.isEmpty() ? new String[0] : taken.split(",")) {
      forward.add(address(branch));
    }
    for (int address : wanted.keySet()) {
      if (kernel.loops().stream()
          .noneMatch(loop -> kernel.code().get(loop.head()).address() == address)) {
        throw new Refused("%s: no loop begins at %x".formatted(kernel.name(), address));
      }
    }
    for (int address : forward) {
      if (!places.containsKey(address) || !kernel.code().get(places.get(address)).branch()) {
        throw new Refused("%s: no branch at %x".formatted(kernel.name(), address));
      }
    }
    Map<String, Long> counts = new TreeMap<>();
    Deque<Integer> calls = new ArrayDeque<>();
    long walked = 0;
    int place = 0;
    while (place < kernel.code().size()) {
      Instruction instruction = kernel.code().get(place);
      if (++walked > LONGEST_WALK) {
        throw new Refused(
            "%s: the way does not end; name the branch that leaves a loop"
                .formatted(kernel.name()));
      }
      for (Map.Entry<String, Predicate<Instruction>> kind : KINDS.entrySet()) {
        if (kind.getValue().test(instruction)) {
          counts.merge(kind.getKey(), 1L, Long::sum);
        }
      }
      int next = place + 1;
      if (instruction.operation().equals("EXIT") && instruction.guard().isEmpty()) {
        break;
      } else if (instruction.operation().equals("CALL")
          && places.containsKey(instruction.target())) {
        calls.push(next);
        next = places.get(instruction.target());
      } else if (instruction.operation().equals("RET") && instruction.guard().isEmpty()) {
        if (calls.isEmpty()) {
          break;
        }
        next = calls.pop();
      } else if (instruction.branch()) {
        int target = places.get(instruction.target());
        boolean back = instruction.target() <= instruction.address();
        if (back) {
          long more = left.getOrDefault(place, wanted.getOrDefault(instruction.target(), 1L) - 1);
          left.put(place, more - 1);
          if (more > 0) {
            next = target;
          } else {
            left.remove(place);
          }
        } else if (!instruction.conditional() || forward.contains(instruction.address())) {
          next = target;
        }
      }
      place = next;
    }
    System.out.printf("%-10s %10d%n", "walked", walked);
    KINDS.forEach(
        (kind, test) -> System.out.printf("%-10s %10d%n", kind, counts.getOrDefault(kind, 0L)));
  }

  private static final Map<String, Predicate<Instruction>> KINDS =
      new TreeMap<>(
          Map.of(
              "tensor", Instruction::tensor,
              "shared", CountCuda::shared,
              "global", CountCuda::global,
              "branches", Instruction::branch));

  private static int address(String text) {
    try {
      return Integer.parseInt(text.strip().toLowerCase(Locale.ROOT).replaceFirst("^0x", ""), 16);
    } catch (NumberFormatException e) {
      throw new Refused(text + ": expected an address in hexadecimal");
    }
  }
}
