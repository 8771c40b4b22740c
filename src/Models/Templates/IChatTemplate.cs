using System.Text.Json.Nodes;

namespace Inference;

/// <summary>Turns conversations into prompts as a model was trained to see them. Safe for concurrent use.</summary>
public interface IChatTemplate
{
    /// <summary>Renders a conversation.</summary>
    /// <param name="messages">The messages in order.</param>
    /// <param name="options">Tools and further variables; null for none.</param>
    /// <exception cref="TemplateException">The template is broken or refuses this conversation.</exception>
    RenderedPrompt Render(IReadOnlyList<ChatMessage> messages, ChatTemplateOptions? options = null);

    /// <summary>Renders a conversation in the form of the OpenAI API, with whatever members the template may look for.</summary>
    /// <param name="messages">An array of objects.</param>
    /// <param name="options">Tools and further variables; null for none.</param>
    /// <exception cref="TemplateException">The template is broken or refuses this conversation.</exception>
    RenderedPrompt Render(JsonArray messages, ChatTemplateOptions? options = null);
}
