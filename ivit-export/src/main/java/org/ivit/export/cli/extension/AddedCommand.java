package org.ivit.export.cli.extension;

import java.util.concurrent.Callable;

/**
 * A command of another module: a class with picocli's annotations and a constructor without
 * parameters. Implementations are found by {@link java.util.ServiceLoader}; it answers its exit
 * code.
 */
public interface AddedCommand extends Callable<Integer> {}
