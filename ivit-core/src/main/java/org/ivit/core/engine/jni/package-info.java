/**
 * The CPU engine on native kernels: C compiled for several instruction sets, one of which is chosen
 * at run time. Threads are Java's, memory and arithmetic are C's.
 */
package org.ivit.core.engine.jni;
