package org.ivit.core.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.ivit.core.cuda.Structure.Place;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The structures of a module are those of its C++ headers: a compiler compares every field. */
public abstract class KernelStructures {
  private static final Path ROOT = Path.of(System.getProperty("ivit.root", ".."));
  private static final String PRELUDE =
      """
      #include <cstddef>
      #include <type_traits>
      #include "%s"
      template <typename T> constexpr bool is_address = false;
      template <typename T> constexpr bool is_address<ivit::Global<T>> = true;
      template <typename T> constexpr bool is_integral = std::is_integral_v<T>;
      template <typename T> constexpr bool is_floating_point = std::is_floating_point_v<T>;
      """;
  private static final List<String> SCALARS = List.of("address", "integral", "floating_point");

  private final Class<?> module;
  private final String source;
  private final String registry;
  private final List<String> folders;

  @TempDir Path folder;

  /**
   * @param module any class of it
   * @param source file that includes all headers
   * @param registry file that lists kernels and their structures, from the root of the project
   * @param folders of headers, from the root of the project
   */
  protected KernelStructures(
      Class<?> module, String source, String registry, List<String> folders) {
    this.module = module;
    this.source = source;
    this.registry = registry;
    this.folders = folders;
  }

  @Test
  void areThoseOfTheHeaders() throws Exception {
    StringBuilder checks = new StringBuilder();
    for (Structure structure : structures()) {
      checks.append(checks(structure.cppName(), structure.size(), structure.places()));
    }
    assertThat(compile(checks.toString())).isEmpty();
  }

  @Test
  void areThereForEveryKernel() throws Exception {
    List<String> wanted =
        Pattern.compile("KERNEL\\([\\w#]+, \\d+, (\\w+)\\)")
            .matcher(Files.readString(ROOT.resolve(registry)))
            .results()
            .map(match -> match.group(1))
            .distinct()
            .toList();
    assertThat(wanted).isNotEmpty();
    assertThat(structures()).extracting(Structure::cppName).containsAll(wanted);
  }

  /** All structures of the module. */
  private List<Structure> structures() throws Exception {
    Path root = Path.of(module.getProtectionDomain().getCodeSource().getLocation().toURI());
    List<Structure> structures = new ArrayList<>();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".class")).sorted().toList()) {
        String path =
            root.relativize(file).toString().replace(file.getFileSystem().getSeparator(), ".");
        Class<?> type =
            Class.forName(path.replaceFirst("\\.class$", ""), false, module.getClassLoader());
        if (Structure.class.isAssignableFrom(type) && !Modifier.isAbstract(type.getModifiers())) {
          Constructor<?> constructor = type.getDeclaredConstructor();
          constructor.setAccessible(true);
          structures.add((Structure) constructor.newInstance());
        }
      }
    }
    return structures;
  }

  /** C++ that compiles only if a structure is like this one. */
  protected static String checks(String name, int size, List<Place> places) {
    String type = "ivit::" + name;
    StringBuilder checks = new StringBuilder();
    checks.append("static_assert(sizeof(%s) == %d, \"size of %s\");\n".formatted(type, size, name));
    for (Place place : places) {
      String field = type + "::" + place.name();
      String of = "std::remove_all_extents_t<decltype(%s)>".formatted(field);
      String kind =
          SCALARS.contains(place.type())
              ? "is_%s<%s>".formatted(place.type(), of)
              : "std::is_same_v<%s, ivit::%s>".formatted(of, place.type());
      checks.append(
          "static_assert(offsetof(%s, %s) == %d && sizeof(%s) == %d && %s, \"%s.%s\");\n"
              .formatted(
                  type,
                  place.name(),
                  place.offset(),
                  field,
                  place.size(),
                  kind,
                  name,
                  place.name()));
    }
    // As many names as fields, or it does not compile.
    return checks
        .append(
            "inline void count_fields(%s &all_fields) { [[maybe_unused]] auto &[".formatted(type))
        .append(places.stream().map(Place::name).collect(Collectors.joining(", ")))
        .append("] = all_fields; }\n")
        .toString();
  }

  /** Returns the errors of a compiler. */
  protected final String compile(String checks) throws IOException, InterruptedException {
    Path compiler =
        Path.of(System.getProperty("ivit.cuda.emulator", "none")).resolveSibling("compiler");
    assumeTrue(Files.exists(compiler), "skipped: no C++ compiler");
    Path file = folder.resolve("checks.cpp");
    Files.writeString(file, PRELUDE.formatted(source) + checks);
    Path errors = folder.resolve("errors");
    List<String> command = new ArrayList<>();
    command.add(Files.readString(compiler));
    command.addAll(List.of("-std=c++17", "-fsyntax-only", "-w", "-DIVIT_EMULATION"));
    folders.forEach(from -> command.add("-I" + ROOT.resolve(from)));
    command.add(file.toString());
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(errors.toFile())
            .start();
    assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
    String text = Files.readString(errors);
    assertThat(process.exitValue() == 0).as(text).isEqualTo(text.isEmpty());
    return text;
  }
}
