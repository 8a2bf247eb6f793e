package org.ivit.core.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
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
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is committed of the compiled kernels is made of the sources, and holds integers only. */
class KernelImagesTest {
  private static final KernelImages KERNELS = new KernelImages(KernelImages.class, "/cuda/");

  private static final Path ROOT = Path.of(System.getProperty("ivit.root", ".."));

  private static final List<String> IMAGES =
      List.of("kernels_compute_75.ptx", "kernels_compute_80.ptx", "kernels_sm_90a.cubin");

  /** Types of floating point, and divisions, which are lowered to a floating-point reciprocal. */
  private static final Pattern FORBIDDEN =
      Pattern.compile("\\.(f16|f16x2|bf16|bf16x2|tf32|f32|f64|e4m3|e5m2)\\b|\\b(div|rem)\\.");

  @TempDir Path folder;

  @Test
  void areMadeOfTheSources() throws IOException, NoSuchAlgorithmException {
    ByteArrayOutputStream sources = new ByteArrayOutputStream();
    for (String suffix : List.of(".cu", ".cuh")) {
      try (Stream<Path> files = Files.list(ROOT.resolve("ivit-core/src/main/cuda"))) {
        for (Path file : files.filter(f -> f.toString().endsWith(suffix)).sorted().toList()) {
          sources.write(Files.readAllBytes(file));
        }
      }
    }
    Properties properties = KERNELS.properties();
    assertThat(properties.getProperty("sources"))
        .as("run scripts/build-cuda")
        .isEqualTo(sha256(sources.toByteArray()));
    for (String image : IMAGES) {
      byte[] bytes = KERNELS.read(image + ".gz");
      assertThat(sha256(Arrays.copyOf(bytes, bytes.length - 1)))
          .as(image)
          .isEqualTo(properties.getProperty(image));
    }
    assertThat(KERNELS.compiler()).isEqualTo(new CudaVersion(13, 0));
  }

  private static String sha256(byte[] bytes) throws NoSuchAlgorithmException {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  @Test
  void holdNoFloatingPoint() {
    for (String image : IMAGES.subList(0, 2)) {
      assertThat(ptx(image).lines().filter(line -> FORBIDDEN.matcher(line).find())).isEmpty();
    }
    assertThat(FORBIDDEN.matcher("\tmul.f32 %f1, %f2, %f3;").find()).isTrue();
    assertThat(FORBIDDEN.matcher("\tdiv.u32 %r1, %r2, %r3;").find()).isTrue();
  }

  private static String ptx(String image) {
    return new String(KERNELS.read(image + ".gz"), StandardCharsets.US_ASCII);
  }

  @Test
  void holdTheKernelsThatAreEmulated() {
    Pointer[] names = new Pointer[64];
    int count = Emulator.load().emulator_kernels(names, names.length);
    List<String> emulated =
        Arrays.stream(names, 0, count).map(name -> name.getString(0)).sorted().toList();
    for (String image : IMAGES.subList(0, 2)) {
      TreeSet<String> entries = new TreeSet<>();
      Matcher entry = Pattern.compile("\\.entry (\\w+)\\(").matcher(ptx(image));
      while (entry.find()) {
        entries.add(entry.group(1));
      }
      assertThat(entries).as(image).containsExactlyElementsOf(emulated);
    }
    assertThat(new String(KERNELS.read(IMAGES.get(2) + ".gz"), StandardCharsets.ISO_8859_1))
        .contains(emulated);
  }

  /** Where nvcc is found, every kernel compiles for each architecture, to the same bytes. */
  @Test
  void areWhatTheCompilerMakes() throws IOException, InterruptedException {
    assumeTrue(found("nvcc") && found("sha256sum"), "skipped: no nvcc");
    Path log = folder.resolve("log");
    Process build =
        new ProcessBuilder(
                "sh",
                ROOT.resolve("scripts/build-cuda").toString(),
                folder.resolve("cuda").toString())
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
        made.getProperty("compiler").equals(KERNELS.compiler().toString()),
        "skipped: another version of nvcc");
    assertThat(made).isEqualTo(KERNELS.properties());
    assertThat(folder.resolve("cuda/cuda-kernels.md"))
        .hasSameTextualContentAs(ROOT.resolve("docs/cuda-kernels.md"));
  }

  private static boolean found(String program) {
    return Arrays.stream(System.getenv("PATH").split(":", -1))
        .anyMatch(path -> Files.isExecutable(Path.of(path, program)));
  }

  @Test
  void areChosenByComputeCapability() {
    assertThat(KernelImages.name("X", 75)).isEqualTo("kernels_compute_75.ptx.gz");
    assertThat(KernelImages.name("X", 80)).isEqualTo("kernels_compute_80.ptx.gz");
    assertThat(KernelImages.name("X", 89)).isEqualTo("kernels_compute_80.ptx.gz");
    assertThat(KernelImages.name("X", 90)).isEqualTo("kernels_sm_90a.cubin.gz");
    assertThat(KernelImages.name("X", 120)).isEqualTo("kernels_compute_80.ptx.gz");
    assertThatThrownBy(() -> KernelImages.name("GTX 1080, device 0", 61))
        .isInstanceOf(InputException.class)
        .hasMessage(
            "engine cuda: GTX 1080, device 0 has compute capability 6.1, expected 7.5 (Turing) or"
                + " newer");
  }
}
