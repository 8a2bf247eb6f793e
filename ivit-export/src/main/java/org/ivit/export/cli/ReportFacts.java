package org.ivit.export.cli;

import java.util.Map;
import org.ivit.core.checkpoint.SourceDate;
import org.ivit.core.engine.Backend;

/** What every report says of how it came to be. */
final class ReportFacts {
  private ReportFacts() {}

  /**
   * Adds kernels, processor, date, version and Java.
   *
   * @param facts what is known of models and data
   * @return the same map
   */
  static Map<String, String> add(Map<String, String> facts, Backend backend) {
    facts.put("kernels", backend.line());
    facts.put("processor", backend.processor() + ", " + backend.threads() + " threads");
    facts.put("date", SourceDate.text());
    facts.put("version", "ivit " + IvitCommand.Version.version());
    facts.put("Java", System.getProperty("java.vm.name") + " " + Runtime.version());
    return facts;
  }
}
