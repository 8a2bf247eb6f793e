package org.ivit.core.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.Pointer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is committed of compiled kernels is made of the sources. */
public abstract class CompiledKernels {
  private static final Path ROOT = Path.of(System.getProperty("ivit.root", ".."));

  protected static final List<String> PTX =
      List.of("kernels_compute_75.ptx", "kernels_compute_80.ptx");

  private static final List<String> MACHINE_CODE =
      Stream.of("75", "80", "86", "89", "90a").map("kernels_sm_%s.cubin"::formatted).toList();

  private final KernelImages images;
  private final String name;
  private final List<String> folders;
  private final String table;
  private final List<KernelImages> beside;

  @TempDir Path folder;

  /**
   * @param images what is committed
   * @param name which kernels, for {@code scripts/build-cuda}
   * @param folders of the sources, from the root of the project
   * @param table file in docs that tells of registers
   * @param beside what the emulator has besides
   */
  protected CompiledKernels(
      KernelImages images,
      String name,
      List<String> folders,
      String table,
      KernelImages... beside) {
    this.images = images;
    this.beside = List.of(beside);
    this.name = name;
    this.folders = folders;
    this.table = table;
  }

  @Test
  void areMadeOfTheSources() throws IOException, NoSuchAlgorithmException {
    ByteArrayOutputStream sources = new ByteArrayOutputStream();
    for (String from : folders) {
      for (String suffix : List.of(".cu", ".cuh")) {
        try (Stream<Path> files = Files.list(ROOT.resolve(from))) {
          for (Path file : files.filter(f -> f.toString().endsWith(suffix)).sorted().toList()) {
            sources.write(Files.readAllBytes(file));
          }
        }
      }
    }
    Properties properties = images.properties();
    assertThat(properties.getProperty("sources"))
        .as("run scripts/build-cuda " + name)
        .isEqualTo(sha256(sources.toByteArray()));
    for (String image : Stream.concat(PTX.stream(), MACHINE_CODE.stream()).toList()) {
      byte[] bytes = images.read(image + ".gz");
      assertThat(sha256(Arrays.copyOf(bytes, bytes.length - 1)))
          .as(image)
          .isEqualTo(properties.getProperty(image));
    }
    assertThat(images.compiler()).isEqualTo(new CudaVersion(13, 0));
  }

  /** PTX 8.0 is that of CUDA 12.0, and has no words that came later. */
  @Test
  void arePtxThatDriversFrom525OnCompile() {
    assertThat(images.needed()).isEqualTo(new CudaVersion(12, 0));
    for (String image : PTX) {
      assertThat(ptx(image).lines().filter(line -> line.startsWith(".version")))
          .containsExactly(".version 8.0");
      assertThat(ptx(image)).doesNotContain("used_bytes_mask");
    }
  }

  private static String sha256(byte[] bytes) throws NoSuchAlgorithmException {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  protected final String ptx(String image) {
    return new String(images.read(image + ".gz"), StandardCharsets.US_ASCII);
  }

  @Test
  void holdTheKernelsThatAreEmulated() {
    Pointer[] names = new Pointer[256];
    int count = Emulator.load().emulator_kernels(names, names.length);
    List<String> emulated =
        Arrays.stream(names, 0, count).map(name -> name.getString(0)).sorted().toList();
    for (String image : PTX) {
      Set<String> compiled = entries(images, image);
      for (String code : MACHINE_CODE) {
        assertThat(new String(images.read(code + ".gz"), StandardCharsets.ISO_8859_1))
            .contains(compiled);
      }
      beside.forEach(other -> compiled.addAll(entries(other, image)));
      assertThat(compiled).as(image).containsExactlyElementsOf(emulated);
    }
  }

  private static Set<String> entries(KernelImages images, String image) {
    String ptx = new String(images.read(image + ".gz"), StandardCharsets.US_ASCII);
    Set<String> entries = new TreeSet<>();
    Matcher entry = Pattern.compile("\\.entry (\\w+)\\(").matcher(ptx);
    while (entry.find()) {
      entries.add(entry.group(1));
    }
    return entries;
  }

  /**
   * Where nvcc is found, it makes the PTX that is committed. What else {@code build-cuda} makes is
   * named by the same hash of the sources and takes six times as long.
   */
  @Test
  void areWhatTheCompilerMakes() throws IOException, InterruptedException {
    assumeTrue(found("nvcc") && found("sha256sum"), "skipped: no nvcc");
    Path log = folder.resolve("log");
    Process build =
        new ProcessBuilder(
                "sh",
                ROOT.resolve("scripts/build-cuda").toString(),
                name,
                folder.resolve("cuda").toString(),
                "ptx")
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    assertThat(build.waitFor(5, TimeUnit.MINUTES)).isTrue();
    assertThat(build.exitValue()).as(Files.readString(log)).isZero();
    Properties made = new Properties();
    try (InputStream in = Files.newInputStream(folder.resolve("cuda/kernels.properties"))) {
      made.load(in);
    }
    assumeTrue(
        made.getProperty("compiler").equals(images.compiler().toString()),
        "skipped: another version of nvcc");
    assertThat(made.keySet())
        .containsExactlyInAnyOrder("compiler", "driver", "sources", "kernels_compute_80.ptx");
    assertThat(images.properties()).containsAllEntriesOf(made);
  }

  /** Every kernel that is committed has its row in the table of registers. */
  @Test
  void haveTheirRegistersToldInDocs() throws IOException {
    List<String> rows =
        Files.readAllLines(ROOT.resolve("docs").resolve(table)).stream()
            .filter(line -> line.startsWith("| `"))
            .map(line -> line.split("`", -1)[1])
            .toList();
    assertThat(rows).containsExactlyElementsOf(entries(images, "kernels_compute_80.ptx"));
  }

  private static boolean found(String program) {
    return Arrays.stream(System.getenv("PATH").split(":", -1))
        .anyMatch(path -> Files.isExecutable(Path.of(path, program)));
  }
}
