/**
 * The Open Inference Protocol, version 2, as JSON and bytes: requests, answers, what models say of
 * themselves ({@code docs/serving.md}).
 */
package org.ivit.serve.protocol;
