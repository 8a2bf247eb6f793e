package org.ivit.core.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.ivit.core.io.Digests;

/** What can be said of a native library of a jar on a machine that need not run it. */
public final class LibraryFile {
  private static final List<String> PLATFORMS =
      List.of("linux-x86_64", "linux-aarch64", "windows-x86_64");

  private LibraryFile() {}

  /** Returns the platforms that a jar may have libraries for. */
  public static List<String> platforms() {
    return PLATFORMS;
  }

  /**
   * Holds that the library of a platform is of that platform, is the one whose digest was written
   * down, needs nothing but the system, and has every native method of a class. Without a library
   * it assumes that the build said why.
   *
   * @param name such as {@code libivit}
   * @param methods the class with the native methods, in the jar with the library
   */
  public static void check(String platform, String name, Class<?> methods, Path copy)
      throws IOException {
    boolean windows = platform.startsWith("windows");
    String resource = "/native/" + platform + "/" + name + (windows ? ".dll" : ".so");
    String note = text(methods, "/native/" + platform + "/" + name + ".skipped");
    assumeTrue(note == null, "not built for " + platform + ": " + note);
    String digest = text(methods, resource + ".sha256");
    assumeTrue(
        digest != null || methods.getResource("/native") != null, "built without native kernels");
    byte[] file;
    try (InputStream in = methods.getResourceAsStream(resource)) {
      assertThat(in).as(resource).isNotNull();
      file = in.readAllBytes();
    }
    assertThat(Digests.file(Files.write(copy, file))).isEqualTo(digest);
    assertThat(format(file)).isEqualTo(platform);
    String names = new String(file, StandardCharsets.ISO_8859_1);
    String prefix = "Java_" + methods.getName().replace('.', '_') + "_";
    List<String> expected =
        Arrays.stream(methods.getDeclaredMethods())
            .filter(method -> Modifier.isNative(method.getModifiers()))
            .map(method -> prefix + method.getName())
            .toList();
    assertThat(expected)
        .isNotEmpty()
        .allSatisfy(method -> assertThat(names).contains(method + '\0'));
    assertThat(names).doesNotContain("libgcc_s").doesNotContain("libwinpthread");
  }

  private static String text(Class<?> jar, String resource) throws IOException {
    try (InputStream in = jar.getResourceAsStream(resource)) {
      return in == null ? null : new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
    }
  }

  /** The platform of a library by its header: ELF or PE, and the processor. */
  private static String format(byte[] file) {
    ByteBuffer header = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    if (header.getInt(0) == 0x464c457f) {
      short processor = header.getShort(18);
      return processor == 62 ? "linux-x86_64" : processor == 183 ? "linux-aarch64" : "other ELF";
    }
    int pe = header.getInt(0x3c);
    boolean x8664 = header.getInt(pe) == 0x4550 && header.getShort(pe + 4) == (short) 0x8664;
    return x8664 ? "windows-x86_64" : "another format";
  }
}
