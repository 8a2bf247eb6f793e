package org.ivit.export.cli.console;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** The version of this program. */
public final class IvitVersion {
  private IvitVersion() {}

  /** As the build wrote it. */
  public static String text() {
    try (InputStream in =
        IvitVersion.class.getResourceAsStream("/org/ivit/export/version.properties")) {
      Properties properties = new Properties();
      properties.load(in);
      return properties.getProperty("version");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
