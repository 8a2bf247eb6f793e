package org.ivit.core.engine.portable.product;

import java.lang.reflect.InvocationTargetException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the product of the Vector API, where this JVM was started with its module. The class is
 * compiled apart and loaded by name: nothing else refers to it, so a JVM without the module never
 * sees it.
 */
final class VectorApi {
  private static final String MODULE = "jdk.incubator.vector";

  private static final String PRODUCT = "org.ivit.core.engine.portable.product.VectorProduct";

  private static final Logger LOG = LoggerFactory.getLogger(VectorApi.class);

  /** Looked for at first use, once. */
  private static final class Once {
    static final ExactProduct PRODUCT = find();
  }

  private VectorApi() {}

  /** Returns the product, or null where it does not run or would not pay. */
  static ExactProduct product() {
    return Once.PRODUCT;
  }

  private static ExactProduct find() {
    String reason = reason();
    if (reason == null) {
      try {
        ExactProduct found =
            Class.forName(PRODUCT)
                .asSubclass(ExactProduct.class)
                .getDeclaredConstructor()
                .newInstance();
        LOG.debug("{}", found.title());
        return found;
      } catch (ClassNotFoundException e) {
        reason = "the jar was built without it";
      } catch (InvocationTargetException e) {
        reason = e.getCause().toString();
      } catch (ReflectiveOperationException | LinkageError e) {
        // An incubator's interface may change with every Java.
        reason = e.toString();
      }
    }
    LOG.debug("portable Java without the Vector API: {}", reason);
    return null;
  }

  /** Says why it is not worth loading, or null. */
  private static String reason() {
    if (ModuleLayer.boot().findModule(MODULE).isEmpty()) {
      return "this JVM was started without --add-modules " + MODULE;
    }
    if (!JitCompiler.fuses()) {
      return "the processor has no fused multiply-add";
    }
    return JitCompiler.optimises() ? null : "this JVM runs without its optimising compiler";
  }
}
