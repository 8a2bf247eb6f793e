package org.ivit.core.engine.portable.product;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;

/** What the compiler of this JVM can do; another virtual machine than HotSpot is trusted. */
final class JitCompiler {
  /** The tier of C2. */
  private static final int OPTIMISING = 4;

  private JitCompiler() {}

  /** Whether {@code Math.fma} is one instruction. */
  static boolean fuses() {
    String option = option("UseFMA");
    return option == null || Boolean.parseBoolean(option);
  }

  /** Whether methods reach the optimising compiler. */
  static boolean optimises() {
    String tier = option("TieredStopAtLevel");
    return !System.getProperty("java.vm.name", "").contains("Client")
        && !System.getProperty("java.vm.info", "").contains("interpreted")
        && (tier == null || Integer.parseInt(tier) >= OPTIMISING);
  }

  /** Null where there is none. */
  private static String option(String name) {
    try {
      HotSpotDiagnosticMXBean machine =
          ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
      return machine == null ? null : machine.getVMOption(name).getValue();
    } catch (IllegalArgumentException | LinkageError e) {
      return null;
    }
  }
}
