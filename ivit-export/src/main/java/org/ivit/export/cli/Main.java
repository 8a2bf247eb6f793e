package org.ivit.export.cli;

import java.io.PrintWriter;
import java.nio.charset.Charset;

/** The entry point of {@code ivit}. */
public final class Main {
  private Main() {}

  /** Runs the command line and leaves the JVM with its exit code: 0 done, 1 failed, 2 bad input. */
  public static void main(String[] args) {
    // JavaCPP prints to the error stream, such as that 1.5.13 runs natives of 1.5.7, which it may.
    System.setProperty("org.bytedeco.javacpp.logger", "slf4j");
    Charset charset = terminalCharset();
    PrintWriter out = new PrintWriter(System.out, true, charset);
    PrintWriter err = new PrintWriter(System.err, true, charset);
    int code = CommandLineInterface.run(out, err, args);
    out.flush();
    err.flush();
    System.exit(code);
  }

  /** The charset of the terminal, which before JDK 19 System.out does not say. */
  private static Charset terminalCharset() {
    String name = System.getProperty("stdout.encoding", System.getProperty("sun.stdout.encoding"));
    if (name == null) {
      name = System.getProperty("native.encoding");
    }
    return name != null && Charset.isSupported(name)
        ? Charset.forName(name)
        : Charset.defaultCharset();
  }
}
