package org.ivit.core.testing;

import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * System properties that are not set when a test begins, and are what they were when it has ended.
 */
public final class ClearedProperties implements BeforeEachCallback, AfterEachCallback {
  private final List<String> names;
  private final TreeMap<String, String> before = new TreeMap<>();

  /** Takes these properties. */
  public ClearedProperties(String... names) {
    this.names = List.of(names);
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    for (String name : names) {
      String value = System.clearProperty(name);
      if (value != null) {
        before.put(name, value);
      }
    }
  }

  @Override
  public void afterEach(ExtensionContext context) {
    names.forEach(System::clearProperty);
    before.forEach(System::setProperty);
  }
}
