/** Engines run an integer graph; they differ in speed and in nothing else. */
package org.ivit.core.engine;
