package org.ivit.core.engine;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
import org.ivit.core.InputException;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.core.engine.choice.Engines;
import org.ivit.core.graph.IntegerGraph;

/**
 * Where a picture's time goes on one thread of the native engine, by samples of {@code perf}.
 * Started by {@code scripts/profile-cpu}; no test.
 */
final class KernelAccount {
  private static final String LIBRARY = "libivit";
  private static final double WARM_UP_SECONDS = 1;

  /** From so large a share on, a function without a group is named. */
  private static final double WORTH_NAMING = 0.005;

  /** What functions of the library do; the first that fits. */
  private enum Group {
    LAYERS(
        "products of linear layers",
        "(tile|sums|upper|outliers|groups|beginning)(_\\d+)?|tile_of_groups|shift_and_add"
            + "|ivit_(tile|add_groups)_.*"),
    DECODING("decoding weights", "ivit_decode_.*|right_of"),
    ATTENTION("products of attention", "accumulate_pairs|pairs_of.*|(scores|context)(_\\d+)?"),
    CODES("requantization to 8 bits, GELU table", "ivit_to8_.*"),
    TURNING("requantization to 8 bits and rotary positions", "ivit_turn8_.*"),
    GATING("gating", "ivit_gate(8|16)_.*|gated.*"),
    RESIDUAL("requantization to 16 bits and residual", "ivit_add16_.*"),
    NORM("I-LayerNorm", "ivit_norm.*"),
    SOFTMAX("Shiftmax", "ivit_(softmax|bias|normalise)_.*|narrow"),
    PACKING("packing keys and values", "ivit_pack_(keys|values)_.*|interleave|shape"),
    ARRANGING("arranging codes for products", "arrange|left_of"),
    PATCHES("cutting patches", "embed|patch.*|ivit_patch.*"),
    REST("the rest: calls, copies, Java, the system", ".*");

    private final String words;
    private final Pattern functions;

    Group(String words, String functions) {
      this.words = words;
      this.functions = Pattern.compile(functions);
    }

    static Group of(String library, String function) {
      if (!library.startsWith(LIBRARY)) {
        return REST;
      }
      for (Group group : values()) {
        if (group.functions.matcher(function).matches()) {
          return group;
        }
      }
      return REST;
    }
  }

  /** The loops on registers, as {@code rates.c} names them, that a kernel set's products are. */
  private record Loops(List<String> layers, List<String> attention) {
    static Loops of(String kernels) {
      return switch (kernels) {
        case "vnni" -> new Loops(List.of("vpdpbusd-zmm"), List.of("vpdpbusd-zmm"));
        case "avxvnni" -> new Loops(List.of("vpdpbusd-ymm"), List.of("vpdpbusd-ymm", "vpmaddwd"));
        case "avx2" -> new Loops(List.of("offset-run", "sign-run", "group"), List.of("vpmaddwd"));
        default -> new Loops(List.of(), List.of());
      };
    }
  }

  /** Samples by group, and of what fell into the rest by function. */
  private record Samples(Map<Group, Long> groups, Map<String, Long> rest, long all) {}

  private KernelAccount() {}

  /**
   * Measures and prints a table.
   *
   * @param arguments integer checkpoint; kernels; pictures a call; seconds; output of {@code
   *     rates.c}; file for perf's samples
   */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    try {
      account(arguments);
    } catch (InputException e) {
      System.err.println("profile-cpu: " + e.getMessage());
      System.exit(2);
    }
  }

  private static void account(String[] arguments) throws IOException, InterruptedException {
    IntegerGraph graph = CheckpointFile.read(Path.of(arguments[0])).graph();
    String kernels = arguments[1];
    int batch = Integer.parseInt(arguments[2]);
    Map<String, Double> rates = rates(Path.of(arguments[4]));
    Path samplesFile = Path.of(arguments[5]);
    EngineConfig config =
        EngineConfig.standard().withEngine("cpu").withKernels(kernels).withThreads(1);
    try (Engine engine = Engines.open(graph, config)) {
      byte[] codes = new byte[graph.architecture().pixels() * batch];
      new Random(1).nextBytes(codes);
      run(engine, codes, batch, () -> false, WARM_UP_SECONDS);
      Process perf = record(samplesFile, arguments[3]);
      double milliseconds = run(engine, codes, batch, perf::isAlive, 0);
      String said = new String(perf.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
      if (perf.waitFor() != 0) {
        System.err.println(
            "profile-cpu: perf record: " + said.strip().lines().findFirst().orElse("failed"));
        System.exit(2);
      }
      System.out.printf(
          Locale.ROOT,
          "%s, %s, one thread, batch %d, %s: %.2f ms of processor time a picture%n%n",
          graph.architecture().name(),
          kernels,
          batch,
          Processor.name(),
          milliseconds);
      print(samples(samplesFile), milliseconds, graph, Loops.of(kernels), rates);
    }
  }

  /**
   * Classifies over and over.
   *
   * @return milliseconds of this thread's processor time a picture
   */
  private static double run(
      Engine engine, byte[] codes, int batch, BooleanSupplier more, double seconds) {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    long end = System.nanoTime() + (long) (seconds * 1e9);
    long begin = threads.getCurrentThreadCpuTime();
    long pictures = 0;
    do {
      engine.logits(codes, batch);
      pictures += batch;
    } while (more.getAsBoolean() || System.nanoTime() < end);
    return (threads.getCurrentThreadCpuTime() - begin) / 1e6 / pictures;
  }

  /** Samples this thread, which with one thread does all of the engine's work. */
  private static Process record(Path file, String seconds) throws IOException {
    Path self = Files.readSymbolicLink(Path.of("/proc/thread-self"));
    return new ProcessBuilder(
            "perf",
            "record",
            "-q",
            "-F",
            "1999",
            "-t",
            self.getFileName().toString(),
            "-o",
            file.toString(),
            "--",
            "sleep",
            seconds)
        .start();
  }

  private static Samples samples(Path file) throws IOException, InterruptedException {
    Process perf =
        new ProcessBuilder(
                "perf",
                "report",
                "-i",
                file.toString(),
                "--stdio",
                "-q",
                "-F",
                "sample,dso,sym",
                "-t",
                "\t")
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String text = new String(perf.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    perf.waitFor(1, TimeUnit.MINUTES);
    Map<Group, Long> groups = new LinkedHashMap<>();
    Map<String, Long> rest = new LinkedHashMap<>();
    long all = 0;
    for (String line : text.lines().toList()) {
      String[] fields = line.strip().split("\t+", -1);
      if (fields.length < 3 || !fields[0].strip().matches("\\d+")) {
        continue;
      }
      long count = Long.parseLong(fields[0].strip());
      String library = fields[1].strip();
      String function = fields[2].strip().replaceFirst("^\\[.\\] ", "");
      Group group = Group.of(library, function);
      groups.merge(group, count, Long::sum);
      if (group == Group.REST) {
        rest.merge(
            function + " in " + library.replaceFirst("-[0-9a-f]+\\.so$", ".so"), count, Long::sum);
      }
      all += count;
    }
    return new Samples(groups, rest, all);
  }

  private static void print(
      Samples samples,
      double milliseconds,
      IntegerGraph graph,
      Loops loops,
      Map<String, Double> rates) {
    MultiplyAdds products = MultiplyAdds.of(graph.architecture());
    System.out.println("| what | ms | share | floor, ms |");
    System.out.println("|---|---|---|---|");
    boolean apart = samples.groups.containsKey(Group.ATTENTION);
    for (Group group : Group.values()) {
      Long count = samples.groups.get(group);
      if (count == null) {
        continue;
      }
      double share = (double) count / samples.all;
      String words = group.words;
      String floor = "";
      if (group == Group.LAYERS) {
        words = apart ? words : "products of linear layers and attention";
        floor = floors(products.layers() + (apart ? 0 : products.attention()), loops.layers, rates);
      } else if (group == Group.ATTENTION) {
        floor = floors(products.attention(), loops.attention, rates);
      }
      System.out.printf(
          Locale.ROOT,
          "| %s | %.2f | %.1f %% | %s |%n",
          words,
          share * milliseconds,
          100 * share,
          floor);
    }
    System.out.println();
    System.out.printf(
        Locale.ROOT,
        "Multiply-adds a picture: %.3f billion in linear layers, %.3f in attention. On registers, 10^9 a"
            + " second: %s. %d samples.%n",
        products.layers() / 1e9,
        products.attention() / 1e9,
        rates,
        samples.all);
    List<String> named = new ArrayList<>();
    samples.rest.forEach(
        (function, count) -> {
          double share = (double) count / samples.all;
          if (share >= WORTH_NAMING) {
            named.add(String.format(Locale.ROOT, "%s %.1f %%", function, 100 * share));
          }
        });
    if (!named.isEmpty()) {
      System.out.println("In the rest: " + String.join(", ", named) + ".");
    }
  }

  /** The time of products by each of the loops that they may be. */
  private static String floors(long products, List<String> loops, Map<String, Double> rates) {
    List<String> floors = new ArrayList<>();
    for (String loop : loops) {
      Double rate = rates.get(loop);
      if (rate != null) {
        floors.add(String.format(Locale.ROOT, "%.2f (%s)", products / rate / 1e6, loop));
      }
    }
    return String.join(", ", floors);
  }

  private static Map<String, Double> rates(Path file) throws IOException {
    Map<String, Double> rates = new LinkedHashMap<>();
    for (String line : Files.readAllLines(file)) {
      String[] words = line.split(" ", -1);
      rates.put(words[0], Double.parseDouble(words[1]));
    }
    return rates;
  }
}
