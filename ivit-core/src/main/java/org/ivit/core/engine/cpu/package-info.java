/** Chooses what the engine {@code cpu} runs on: native kernels of a processor, or portable Java. */
package org.ivit.core.engine.cpu;
