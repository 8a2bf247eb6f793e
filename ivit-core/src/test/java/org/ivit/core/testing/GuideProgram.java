package org.ivit.core.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.tools.ToolProvider;

/** A program of a page of the documentation, compiled as its reader would. */
public final class GuideProgram {
  private GuideProgram() {}

  /**
   * Compiles a program with the class path of the test, and holds that the compiler has nothing to
   * say.
   *
   * @param folder for source and class
   * @param name of its class
   * @param program the source
   */
  public static void compile(Path folder, String name, String program) throws IOException {
    Path source = folder.resolve(name + ".java");
    Files.writeString(source, program);
    ByteArrayOutputStream errors = new ByteArrayOutputStream();
    int compiled =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                null,
                errors,
                "-Xlint:all,-classfile,-path,-processing",
                "-proc:none",
                "-cp",
                System.getProperty("java.class.path"),
                "-d",
                folder.toString(),
                source.toString());
    assertThat(errors.toString(StandardCharsets.UTF_8)).isEmpty();
    assertThat(compiled).isZero();
  }
}
