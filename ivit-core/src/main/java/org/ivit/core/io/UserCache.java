package org.ivit.core.io;

import java.nio.file.Path;

/**
 * Where a user's copies of what can be made again lie: {@code ivit} in the folder of {@code
 * XDG_CACHE_HOME} or in {@code ~/.cache}, or the folder of the property {@value #PROPERTY}.
 */
public final class UserCache {
  /** The system property that names the folder. */
  public static final String PROPERTY = "ivit.cache";

  private UserCache() {}

  /**
   * @return the folder, which need not exist; relative where the system knows no home, and then not
   *     to be used
   */
  public static Path folder() {
    String property = System.getProperty(PROPERTY);
    if (property != null && !property.isBlank()) {
      return Path.of(property.strip()).toAbsolutePath();
    }
    String xdg = System.getenv("XDG_CACHE_HOME");
    return xdg != null && !xdg.isBlank()
        ? Path.of(xdg, "ivit")
        : Path.of(System.getProperty("user.home"), ".cache", "ivit");
  }
}
