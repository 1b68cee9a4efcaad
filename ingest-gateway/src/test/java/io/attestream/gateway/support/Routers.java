// SPDX-License-Identifier: Apache-2.0
package io.attestream.gateway.support;

import io.quarkus.vertx.http.ManagementInterface;
import io.vertx.ext.web.Router;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.ws.rs.HttpMethod;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Every route there is, from the routers themselves and from the annotations of the resources. */
@ApplicationScoped
public class Routers {
    private @Nullable Router main;
    private @Nullable Router management;

    void main(@Observes Router router) {
        main = router;
    }

    void management(@Observes ManagementInterface made) {
        management = made.router();
    }

    /** Paths of what is on the main port beside resources. */
    public Set<String> main() {
        return paths(Objects.requireNonNull(main));
    }

    public Set<String> management() {
        return paths(Objects.requireNonNull(management));
    }

    /** One without a path is a pattern, or asked of every request. */
    private static Set<String> paths(Router router) {
        return router.getRoutes().stream()
                .map(route ->
                        route.getPath() != null ? route.getPath() : route.isRegexPath() ? "pattern" : "every request")
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Methods and path templates of all resources, sorted; one that two methods serve is there twice. */
    public static List<String> resources() {
        Path classes = Path.of("target/classes");
        try (Stream<Path> files = Files.walk(classes)) {
            return files.map(file -> classes.relativize(file).toString())
                    .filter(name -> name.endsWith(".class"))
                    .map(name ->
                            name.substring(0, name.length() - ".class".length()).replace('/', '.'))
                    .flatMap(Routers::routes)
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Stream<String> routes(String className) {
        try {
            Class<?> type = Class.forName(className, false, Routers.class.getClassLoader());
            jakarta.ws.rs.Path base = type.getAnnotation(jakarta.ws.rs.Path.class);
            return base == null
                    ? Stream.empty()
                    : Arrays.stream(type.getDeclaredMethods()).flatMap(method -> routes(base.value(), method));
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Stream<String> routes(String base, Method method) {
        jakarta.ws.rs.Path own = method.getAnnotation(jakarta.ws.rs.Path.class);
        String path = ("/" + base + "/" + (own == null ? "" : own.value()))
                .replaceAll("/+", "/")
                .replaceAll("(?<=.)/$", "");
        return Arrays.stream(method.getAnnotations())
                .map(annotation -> annotation.annotationType().getAnnotation(HttpMethod.class))
                .filter(Objects::nonNull)
                .map(verb -> verb.value() + " " + path);
    }
}
